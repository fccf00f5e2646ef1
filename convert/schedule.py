"""The order in which a graph is computed: node by node over all steps, or loops step by step."""

from __future__ import annotations

import networkx as nx

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import RepeatTime
from spikeport.core.errors import UnsupportedError

Group = tuple[Node, ...]
"""One node, or the nodes of a loop in the order of one time step."""


def schedule(graph: Graph) -> list[Group]:
    """Groups of nodes, each after all that it reads.

    A node outside of loops is computed over all time steps before its readers are; the nodes of a
    loop, which a delay closes, must take one step after the other.

    Raises:
        UnsupportedError: a delay is inconsistent, or something in a loop needs all time steps.
    """
    graph.check_feedback()
    if not graph.delays:
        return [(node,) for node in graph]
    order = {node.name: index for index, node in enumerate(graph)}
    net = nx.DiGraph(
        [(source, node.name) for node in graph for source in node.inputs]
        + [(node.op.feedback, node.name) for node in graph.delays]
    )
    net.add_nodes_from(order)
    condensed = nx.condensation(net)
    members: dict[int, list[str]] = {
        index: sorted(names, key=order.__getitem__)
        for index, names in condensed.nodes(data="members")
    }
    groups = nx.lexicographical_topological_sort(
        condensed, key=lambda index: order[members[index][0]]
    )
    return [_checked(tuple(graph[name] for name in members[index])) for index in groups]


def _checked(group: Group) -> Group:
    for node in group if len(group) > 1 else ():
        if not node.per_step or isinstance(node.op, RepeatTime):
            raise UnsupportedError(
                f"this {node.op.kind} stands in a feedback loop, but needs all time steps at once.",
                where=node.path or node.name,
                fix="Feed back values of single time steps only.",
            )
    return group
