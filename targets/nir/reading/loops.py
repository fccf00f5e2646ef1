"""Where the loops of a NIR graph take their step of delay.

A loop has one in every framework that takes steps. Where a `Delay` node is in it, that is the
place; else the value that comes round is the one of the step before where it meets what enters the
loop, 0 at the first step. NIRTorch, which SpikingJelly and Norse build on, does the same.
"""

from __future__ import annotations

import networkx as nx

from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.reading.network import Net

Edge = tuple[str, str]


def late_edges(net: Net) -> list[Edge]:
    """The edges (source, reader) whose value is the one of the step before.

    Raises:
        UnsupportedError: nothing enters a loop.
    """
    order = {name: index for index, name in enumerate(net.nodes)}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(net.nodes)
    graph.add_edges_from((source, name) for name, reads in net.reads.items() for source in reads)
    late: list[Edge] = []
    while loops := _loops(graph):
        for loop in loops:
            cut = _cut(net, graph, loop, order)
            late += cut
            graph.remove_edges_from(cut)
    return late


def _loops(graph: nx.DiGraph[str]) -> list[set[str]]:
    return [
        part
        for part in nx.strongly_connected_components(graph)
        if len(part) > 1 or any(graph.has_edge(name, name) for name in part)
    ]


def _cut(net: Net, graph: nx.DiGraph[str], loop: set[str], order: dict[str, int]) -> list[Edge]:
    delays = [name for name in loop if net.nodes[name].type == "Delay"]
    if delays:
        return [(source, name) for name in delays for source in graph.predecessors(name)
                if source in loop]  # fmt: skip
    entries = [name for name in loop if any(source not in loop for source in net.reads[name])]
    if not entries:
        raise UnsupportedError(
            "nothing enters this loop.",
            where=min(loop, key=order.__getitem__),
            fix="Lead the input of the graph to it.",
        )
    entry = min(entries, key=order.__getitem__)
    return [(source, entry) for source in graph.predecessors(entry) if source in loop]
