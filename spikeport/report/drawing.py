"""Where the nodes and edges of a network go: by Graphviz where it is there, else by our layout."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pydot

from spikeport.convert.seeing.layout import Place, layout

Point = tuple[float, float]
Size = tuple[float, float]
Edge = tuple[str, str]

_INCH = 72.0
_MARGIN, _GAP = 16.0, 30.0
_SECONDS = 20
"""After which Graphviz is given up: a picture that is a little plainer is better than none."""


@dataclass(frozen=True)
class Drawing:
    """Positions in pixels, y downwards.

    Attributes:
        centres: of the nodes.
        routes: by edge: start, then control points of cubic Bezier curves.
    """

    width: float
    height: float
    centres: dict[str, Point]
    routes: dict[Edge, list[Point]]


def draw(sizes: Mapping[str, Size], edges: Sequence[Edge], loops: Sequence[Edge] = ()) -> Drawing:
    """Lay out a graph from top to bottom.

    Args:
        sizes: width and height by node, in topological order.
        edges: (source, reader).
        loops: edges that lead back one time step.
    """
    return _by_graphviz(sizes, edges, loops) or _layered(sizes, edges, loops)


def _by_graphviz(
    sizes: Mapping[str, Size], edges: Sequence[Edge], loops: Sequence[Edge]
) -> Drawing | None:
    program = shutil.which("dot")
    if program is None:
        return None
    # Users' names may be words of the language: nodes are called by number.
    ids = {name: f"n{number}" for number, name in enumerate(sizes)}
    graph = pydot.Dot("g", graph_type="digraph", nodesep="0.3", ranksep="0.4")
    for name, (width, height) in sizes.items():
        size: dict[str, Any] = {"width": f"{width / _INCH:.4f}", "height": f"{height / _INCH:.4f}"}
        graph.add_node(pydot.Node(ids[name], label="", shape="box", fixedsize="true", **size))
    for source, reader in edges:
        graph.add_edge(pydot.Edge(ids[source], ids[reader], arrowhead="none"))
    for source, reader in loops:
        graph.add_edge(pydot.Edge(ids[source], ids[reader], arrowhead="none", constraint="false"))
    try:
        done = subprocess.run(
            [program, "-Tplain"],
            input=graph.to_string(),
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
        return _read_plain(done.stdout, {number: name for name, number in ids.items()})
    except (OSError, subprocess.SubprocessError, ValueError, IndexError, KeyError):
        return None


def _read_plain(text: str, names: Mapping[str, str]) -> Drawing:
    """Graphviz's "plain" format: one word per line kind, inches, y upwards."""
    lines = [line.split() for line in text.splitlines()]
    width, height = (float(each) * _INCH for each in lines[0][2:4])

    def at(x: str, y: str) -> Point:
        return float(x) * _INCH + _MARGIN, height - float(y) * _INCH + _MARGIN

    centres = {names[line[1]]: at(line[2], line[3]) for line in lines if line[0] == "node"}
    routes = {}
    for line in lines:
        if line[0] == "edge":
            numbers = line[4 : 4 + 2 * int(line[3])]
            points = [at(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]
            routes[names[line[1]], names[line[2]]] = points
    return Drawing(width + 2 * _MARGIN, height + 2 * _MARGIN, centres, routes)


def _layered(sizes: Mapping[str, Size], edges: Sequence[Edge], loops: Sequence[Edge]) -> Drawing:
    unique = list(dict.fromkeys(edges))
    places = layout(list(sizes), unique, {name: width for name, (width, _) in sizes.items()})
    tops, y = [], _MARGIN
    for rank in places.ranks:
        named = [place[0] for place in rank if isinstance(place[0], str)]
        tallest = max((sizes[name][1] for name in named), default=0.0)
        tops.append((y, tallest))
        y += tallest + _GAP
    left = min(
        (places.x[name, places.rank[name]] - width / 2 for name, (width, _) in sizes.items()),
        default=0.0,
    )
    shift = _MARGIN - min([left, *places.x.values()])

    def middle(place: Place) -> Point:
        top, tallest = tops[place[1]]
        return places.x[place] + shift, top + tallest / 2

    centres = {name: middle((name, rank)) for name, rank in places.rank.items()}
    routes = {
        edge: _curve([middle(place) for place in route], sizes, edge)
        for edge, route in places.routes.items()
    }
    for source, reader in loops:
        routes[source, reader] = _curve([centres[source], centres[reader]], sizes, (source, reader))
    right = max((centres[name][0] + width / 2 for name, (width, _) in sizes.items()), default=0.0)
    passing = max((x for route in routes.values() for x, _ in route), default=0.0)
    return Drawing(max(right, passing) + _MARGIN, y, centres, routes)


def _curve(points: list[Point], sizes: Mapping[str, Size], edge: Edge) -> list[Point]:
    """From the border of the source to that of the reader, vertical at each point."""
    down = 1 if points[-1][1] >= points[0][1] else -1
    source, reader = (sizes[name][1] / 2 * down for name in edge)
    ends = [(points[0][0], points[0][1] + source), *points[1:-1]]
    ends.append((points[-1][0], points[-1][1] - reader))
    route = [ends[0]]
    for (x0, y0), (x1, y1) in pairwise(ends):
        half = (y0 + y1) / 2
        route += [(x0, half), (x1, half), (x1, y1)]
    return route
