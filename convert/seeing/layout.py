"""Where nodes go in a layered drawing: ranks from inputs to outputs, few crossings, no overlap.

After Sugiyama, Tagawa and Toda, IEEE Trans. SMC 11(2), 1981: ranks by longest path, order by
barycentres, then positions as close to the neighbours' as the order and the widths allow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

Edge = tuple[str, str]
Place = tuple[str, int] | tuple[Edge, int]
"""A node, or an edge where it passes a rank, with that rank."""

GAP = 26.0
PASSING = 14.0
"""Width that an edge takes where it passes between nodes."""
SWEEPS = 12


@dataclass
class Layout:
    """Positions.

    Attributes:
        x: centre of each place.
        rank: of each node.
        ranks: places of each rank, from left to right.
        routes: the places that each edge runs through, source and target included.
    """

    x: dict[Place, float]
    rank: dict[str, int]
    ranks: list[list[Place]]
    routes: dict[Edge, list[Place]] = field(default_factory=dict)


def layout(nodes: Sequence[str], edges: Sequence[Edge], widths: Mapping[str, float]) -> Layout:
    """Lay out an acyclic graph.

    Args:
        nodes: in topological order.
        edges: each once.
        widths: of the nodes.
    """
    rank = _ranks(nodes, edges)
    routes = {(a, b): _route((a, b), rank) for a, b in edges}
    ranks: list[list[Place]] = [[] for _ in range(max(rank.values(), default=-1) + 1)]
    for name in nodes:
        ranks[rank[name]].append((name, rank[name]))
    for route in routes.values():
        for place in route[1:-1]:
            ranks[place[1]].append(place)
    above: dict[Place, list[Place]] = {place: [] for each in ranks for place in each}
    below: dict[Place, list[Place]] = {place: [] for each in ranks for place in each}
    for route in routes.values():
        for upper, lower in pairwise(route):
            below[upper].append(lower)
            above[lower].append(upper)
    _order(ranks, above, below)
    x = _positions(ranks, above, below, widths)
    return Layout(x, rank, ranks, routes)


def width_of(place: Place, widths: Mapping[str, float]) -> float:
    """How much room a place takes."""
    return widths[place[0]] if isinstance(place[0], str) else PASSING


def _ranks(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    rank = dict.fromkeys(nodes, 0)
    sources: dict[str, list[str]] = {name: [] for name in nodes}
    readers: dict[str, list[str]] = {name: [] for name in nodes}
    for source, reader in edges:
        sources[reader].append(source)
        readers[source].append(reader)
    for name in nodes:
        rank[name] = max((rank[source] + 1 for source in sources[name]), default=0)
    for name in reversed(nodes):
        # What nothing leads to stands close to where it is read.
        if not sources[name] and readers[name]:
            rank[name] = min(rank[reader] for reader in readers[name]) - 1
    return rank


def _route(edge: Edge, rank: Mapping[str, int]) -> list[Place]:
    first, last = rank[edge[0]], rank[edge[1]]
    passing: list[Place] = [(edge, level) for level in range(first + 1, last)]
    return [(edge[0], first), *passing, (edge[1], last)]


def _order(
    ranks: list[list[Place]],
    above: Mapping[Place, list[Place]],
    below: Mapping[Place, list[Place]],
) -> None:
    """Sort each rank by the mean position of the neighbours, down and up in turn."""
    best, fewest = [list(each) for each in ranks], _crossings(ranks, below)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for each in ranks if down else reversed(ranks):
            index = {place: i for other in ranks for i, place in enumerate(other)}
            key = _barycentre(index, neighbours)
            each.sort(key=key)
        now = _crossings(ranks, below)
        if now < fewest:
            best, fewest = [list(each) for each in ranks], now
    for each, kept in zip(ranks, best, strict=True):
        each[:] = kept


def _barycentre(
    index: Mapping[Place, int], neighbours: Mapping[Place, list[Place]]
) -> Callable[[Place], float]:
    def mean(place: Place) -> float:
        found = [index[other] for other in neighbours[place]]
        return sum(found) / len(found) if found else float(index[place])

    return mean


def _crossings(ranks: list[list[Place]], below: Mapping[Place, list[Place]]) -> int:
    total = 0
    for upper, lower in pairwise(ranks):
        index = {place: i for i, place in enumerate(lower)}
        ends = [sorted(index[other] for other in below[place]) for place in upper]
        for i, left in enumerate(ends):
            for right in ends[i + 1 :]:
                total += sum(a > b for a in left for b in right)
    return total


def _positions(
    ranks: list[list[Place]],
    above: Mapping[Place, list[Place]],
    below: Mapping[Place, list[Place]],
    widths: Mapping[str, float],
) -> dict[Place, float]:
    x: dict[Place, float] = {}
    for each in ranks:
        room = _separations(each, widths)
        x |= dict(zip(each, _spaced([0.0] * len(each), room, [1.0] * len(each)), strict=True))
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for each in ranks if down else reversed(ranks):
            wanted, weights = [], []
            for place in each:
                near = (above if down else below)[place] or (below if down else above)[place]
                wanted.append(_mean(near, x) if near else x[place])
                weights.append(_firmness(place, near))
            x |= dict(zip(each, _spaced(wanted, _separations(each, widths), weights), strict=True))
    return x


def _firmness(place: Place, near: list[Place]) -> float:
    """How much a place insists: edges stay straight on the way, and give way at their ends."""
    if isinstance(place[0], str):
        return 1.0
    return 0.1 if any(isinstance(other[0], str) for other in near) else 4.0


def _mean(places: list[Place], x: Mapping[Place, float]) -> float:
    # Edges that pass by count little, so that a residual branch does not bend the main path.
    weights = [1.0 if isinstance(place[0], str) else 0.1 for place in places]
    return sum(w * x[p] for w, p in zip(weights, places, strict=True)) / sum(weights)


def _separations(places: Sequence[Place], widths: Mapping[str, float]) -> list[float]:
    return [
        (width_of(left, widths) + width_of(right, widths)) / 2 + GAP
        for left, right in pairwise(places)
    ]


def _spaced(
    wanted: Sequence[float], separations: Sequence[float], weights: Sequence[float]
) -> list[float]:
    """The positions closest to those wanted that keep order and distances.

    Least squares by pooling adjacent violators, after the distances are taken out.
    """
    shift, total = [0.0], 0.0
    for separation in separations:
        total += separation
        shift.append(total)
    blocks: list[tuple[float, float, int]] = []
    for want, offset, weight in zip(wanted, shift, weights, strict=False):
        mean, mass, count = want - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, heavier, more = blocks.pop()
            mean = (mean * mass + other * heavier) / (mass + heavier)
            mass, count = mass + heavier, count + more
        blocks.append((mean, mass, count))
    flat = [mean for mean, _, count in blocks for _ in range(count)]
    return [value + offset for value, offset in zip(flat, shift, strict=False)]
