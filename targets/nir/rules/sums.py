"""Sums: edges that meet in one node add up, so a sum needs no node."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import Finding, Status, Treatment
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Add
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules.base import Rule, refused, rule


def summands(graph: Graph, node: Node) -> tuple[str, ...]:
    """The nodes that a sum adds up in the end, in the order in which they are added."""
    if not isinstance(node.op, Add):
        return (node.name,)
    left, right = (summands(graph, graph[name]) for name in node.inputs)
    return _longer_first(left, right)


def readers(graph: Graph, node: Node) -> int:
    """How many read a node, whoever runs the graph among them."""
    return len(graph.consumers(node.name)) + graph.outputs.count(node.name)


@rule(Add)
class SumRule(Rule):
    """Edges from each summand to the node that reads the sum; to all of them on request."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        if any(plan.graph[name].shape != node.shape for name in node.inputs):
            yield refused(
                node, "its summands differ in shape; edges of NIR do not.", "Expand them before."
            )
        added = summands(plan.graph, node)
        if len(set(added)) < len(added):
            yield refused(
                node,
                "a value is added to itself; NIR allows one edge between two nodes.",
                "Scale it instead.",
            )
        reading = readers(plan.graph, node)
        if reading > 1 and not plan.options.expand_residuals:
            yield refused(
                node,
                f"{reading} nodes read this sum, and NIR has no node that adds.",
                "Lower with expand_residuals=True, which writes edges from each summand to each "
                "of them.",
            )

    def treatment(self, plan: Plan, node: Node) -> Treatment:
        both = all(isinstance(plan.graph[name].op, Add) for name in node.inputs)
        if not both:
            return Treatment(
                Status.REWRITTEN, by="fan-in", how="edges that meet in the node that reads it"
            )
        return Treatment(
            Status.APPROXIMATE,
            how="two sums are added up in another order, relative error below 1e-15; measured as "
            "'spikes that differ' by the proof on frames",
        )

    def write(self, network: Network, node: Node) -> Sources:
        parts = [network.sources[name] for name in node.inputs]
        return _longer_first(*parts)


def _longer_first(left: Sources, right: Sources) -> Sources:
    """a + (b + c) is (b + c) + a to the last bit."""
    return (*right, *left) if len(right) > len(left) else (*left, *right)
