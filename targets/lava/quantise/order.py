"""The order in which values can be bounded."""

from __future__ import annotations

import networkx as nx

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron


def bounding_order(graph: Graph, region: set[str]) -> list[Node]:
    """The nodes of a region, each after what bounds it; neurons are bounded by nothing.

    Raises:
        NodeRefused: currents are fed back into themselves, so that they can grow without bound.
    """
    position = {node.name: index for index, node in enumerate(graph) if node.name in region}
    net: nx.DiGraph[str] = nx.DiGraph()
    net.add_nodes_from(position)
    for name in position:
        node = graph[name]
        if not isinstance(node.op, Neuron):
            shown = node.op.feedback
            sources = node.inputs if shown is None else (*node.inputs, shown)
            net.add_edges_from((source, name) for source in sources)
    try:
        names = list(nx.lexicographical_topological_sort(net, key=position.__getitem__))
    except nx.NetworkXUnfeasible:
        loop = next(part for part in nx.strongly_connected_components(net) if len(part) > 1)
        delay = next(graph[name] for name in position if name in loop and graph[name].op.feedback)
        why = "it feeds currents back into themselves with no neuron between: they have no bound."
        raise NodeRefused(error(delay, why, "Put a neuron into the loop.")) from None
    return [graph[name] for name in names]
