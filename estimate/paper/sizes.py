"""Sizes and rates as papers take them: padding included, means over all samples."""

from __future__ import annotations

import math
from fractions import Fraction

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.estimate.energy.load import ENERGY_MODELS
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term

_MODEL = ENERGY_MODELS["horowitz45-fp32"]
MAC, AC = _MODEL.constants["mac"].picojoule, _MODEL.constants["ac"].picojoule
"""pJ: all three conventions use 4.6 and 0.9."""


def flops(node: Node) -> int:
    """Outputs times fan-in of a layer with weights, per execution."""
    if not isinstance(node.op, Conv | Linear):
        raise TypeError(f"{node.op.kind} has no weights")
    return math.prod(node.shape) * math.prod(node.op.weight.shape[1:])


def product_flops(graph: Graph, node: Node) -> int:
    """Outputs times summands of a product of activations, per execution."""
    return math.prod(node.shape) * graph[node.inputs[0]].shape[-1]


def stem_of(graph: Graph) -> str | None:
    """The first convolution."""
    return next((node.name for node in graph if isinstance(node.op, Conv)), None)


def head_of(graph: Graph) -> str | None:
    """The last layer with weights, if it is a linear one."""
    layers = [node for node in graph if isinstance(node.op, Conv | Linear)]
    return layers[-1].name if layers and isinstance(layers[-1].op, Linear) else None


def steps_of(tally: Tally) -> int:
    return max(tally.steps or 0, 1)


def reads_events(tally: Tally, name: str) -> bool:
    """Whether operations of a layer are counted per event."""
    return Term.SITES in tally.plans[name].terms


def synaptic_operations(tally: Tally, node: Node) -> Fraction:
    """rate x T x FLOPs of a layer that reads events, per sample."""
    return tally.input_rate(node.name) * steps_of(tally) * flops(node)


def operand_rates(tally: Tally, node: Node) -> list[Fraction]:
    """Firing rates of those operands of a product that are spikes."""
    if not isinstance(node.op, MatMul):
        raise TypeError(f"{node.op.kind} is no product of activations")
    # If every element of an operand were an event, it would be read as often as there are FLOPs.
    full = product_flops(tally.graph, node) * steps_of(tally) * max(tally.samples, 1)
    return [
        Fraction(tally.total(node.name, term), full)
        for term in (Term.READS_LEFT, Term.READS_RIGHT)
        if term in tally.plans[node.name].terms
    ]
