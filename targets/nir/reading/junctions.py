"""Nodes that only pass on what they read, taken out."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import networkx as nx

from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.reading.network import JUNCTION, Net


def without_junctions(net: Net) -> Net:
    """The same network, each reader of a junction reading what the junction reads.

    Raises:
        UnsupportedError: junctions alone form a loop.
        FileError: a node would read another one twice.
    """
    _check_loops(net)
    kept = {name: node for name, node in net.nodes.items() if node.type != JUNCTION}
    result = Net(kept)
    for name in kept:
        reads = _origins(net, net.reads[name])
        if len(set(reads)) < len(reads):
            raise net.nodes[name].refuse("it reads one node twice, over a nested graph or a delay")
        result.reads[name] = reads
    return result


def _check_loops(net: Net) -> None:
    junctions: nx.DiGraph[str] = nx.DiGraph()
    for name in net.of_type(JUNCTION):
        sources = (each for each in net.reads[name] if net.nodes[each].type == JUNCTION)
        junctions.add_edges_from((source, name) for source in sources)
    with contextlib.suppress(nx.NetworkXNoCycle):
        (where, *_), *_ = nx.find_cycle(junctions)
        raise UnsupportedError(
            "a loop of nested graphs without any node in it has no value.",
            where=where,
            fix="Put a neuron or a delay into it.",
        )


def _origins(net: Net, reads: Sequence[str]) -> list[str]:
    """What is read, in the order of the edges, with what junctions pass on in their place.

    What comes a second time is enough to be refused. More often it is not followed: where junctions
    split and join again and again, the ways through them are more than can be counted.
    """
    found: list[str] = []
    times: dict[str, int] = {}
    waiting = [*reversed(reads)]
    while waiting:
        name = waiting.pop()
        times[name] = times.get(name, 0) + 1
        if times[name] > 2:
            continue
        if net.nodes[name].type == JUNCTION:
            waiting += reversed(net.reads[name])
        else:
            found.append(name)
    return found
