"""What slayer can express of an integer graph."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    Add,
    Conv,
    Delay,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Neuron,
    OverTime,
    Permute,
    RepeatTime,
    Reshape,
    Stateless,
    Sum,
)
from spikeport.targets.lava.gradients import host_refusal
from spikeport.targets.lava.limits import NO_CURRENT_MEMORY
from spikeport.targets.lava.ops import LavaAvgPool, LavaLIF, LavaMean, LavaShift
from spikeport.targets.lava.region import on_lava

SYNAPSES = (Conv, Linear)
IN_TORCH: tuple[type[Stateless], ...] = (
    Add,
    LavaAvgPool,
    LavaMean,
    LavaShift,
    MatMul,
    MaxPool,
    Multiply,
    Permute,
    Reshape,
    Sum,
)
"""What slayer has no class for and PyTorch computes between its layers."""


def check_slayer(graph: Graph) -> list[Finding]:
    """Everything in an integer graph that stands against `to_slayer`."""
    region = on_lava(graph)
    return [finding for node in graph for finding in _of_node(node, node.name in region)]


def _of_node(node: Node, inside: bool) -> Iterator[Finding]:
    op = node.op
    if not inside:
        if node.inputs and not isinstance(op, Stateless | OverTime):
            yield host_refusal(node)
    elif isinstance(op, LavaLIF):
        yield from _of_neuron(node, op)
    elif isinstance(op, Neuron):
        yield error(node, f"this {op.kind} is no neuron of Lava.", "Lower the graph first.")
    elif isinstance(op, Delay):
        yield error(
            node,
            "it feeds spikes back over time; a neuron of slayer takes all steps at once, before "
            "the feedback of the first is known.",
            "Run it on the backends 'integer' or 'pump'.",
        )
    elif not isinstance(op, (*SYNAPSES, *IN_TORCH, Input, RepeatTime)):
        yield error(
            node,
            f"slayer modules have no counterpart for {op.kind!r}.",
            "Run it on the backends 'integer' or 'pump'.",
        )


def _of_neuron(node: Node, op: LavaLIF) -> Iterator[Finding]:
    if op.thresholds is not None:
        yield error(
            node,
            "its threshold differs between channels; a CUBA neuron of slayer has one per layer.",
            "Train with one threshold per layer, or run it on the backends 'integer' or 'pump'.",
        )
    if op.du != NO_CURRENT_MEMORY:
        yield error(
            node,
            f"it keeps synaptic current (du = {op.du}), and slayer adds a bias to the current.",
            "Use neurons without synaptic current, or run it on the backend 'integer'.",
        )
