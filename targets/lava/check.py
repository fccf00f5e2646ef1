"""Can this graph be lowered to Lava? The same rules as the lowering, all findings at once."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.convert.passes import fold_batch_norm
from spikeport.targets.lava.findings import Finding, Severity, error
from spikeport.targets.lava.region import boundary, on_lava
from spikeport.targets.lava.rules import RULES


def check(graph: Graph) -> list[Finding]:
    """Everything that stands against lowering a float graph, and what is worth knowing about it.

    Batch norms are folded first, as `lower` does. Never stops at the first finding and never
    raises. Findings of severity `error` are what `lower` refuses; numeric limits (head-room,
    thresholds, biases) need the weights and are found when lowering.
    """
    graph = fold_batch_norm(graph)
    region = on_lava(graph)
    findings = list(_check_whole(graph, region))
    for node in graph:
        if node.name in region:
            findings += _check_node(graph, node)
    return findings


def _check_node(graph: Graph, node: Node) -> Iterator[Finding]:
    if node.op.kind not in RULES:
        yield error(
            node,
            f"Lava has no counterpart for {node.op.kind!r}.",
            "Replace this module, or leave it to the host by moving it behind the last neuron.",
        )
        return
    rule = RULES[node.op.kind]
    yield from rule.check(graph, node)
    if rule.simulation_only:
        yield Finding(
            Severity.NOTE,
            node.name,
            node.path,
            f"simulation only: {node.op.kind} on graded values is a process of Spikeport, "
            "not a part of the chip.",
        )


def _check_whole(graph: Graph, region: set[str]) -> Iterator[Finding]:
    if not any(isinstance(node.op, Neuron) for node in graph):
        last = graph[graph.outputs[0]]
        yield error(last, "the graph has no spiking neuron.", "Lava runs spiking networks only.")
        return
    if len(graph.inputs) != 1:
        last = graph[graph.outputs[0]]
        yield error(last, f"the graph has {len(graph.inputs)} inputs.", "Use one input.")
    reads = boundary(graph, region)
    if len(reads) != 1 or len(graph.outputs) != 1:
        for node in reads[1:]:
            yield error(
                node,
                "the part behind the last neuron reads more than one layer.",
                "Let the classifier read one layer of spikes.",
            )
    if reads and not reads[0].domain.is_whole:
        yield error(
            reads[0],
            f"the classifier reads {reads[0].domain} values, not spikes.",
            "Put a neuron before the classifier.",
        )
