"""Whether float32 holds every number of an integer graph."""

from __future__ import annotations

import math

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, Neuron
from spikeport.targets.lava.entry import Entry
from spikeport.targets.lava.limits import CURRENT_LIMIT, DECAY_UNIT
from spikeport.targets.lava.ops import LavaAvgPool, LavaLIF, LavaMean, LavaShift
from spikeport.targets.lava.quantise.bounds import Interval, between, interval, spikes
from spikeport.targets.lava.quantise.order import bounding_order
from spikeport.targets.lava.region import on_lava

SINGLE_LIMIT = 2**24
"""Whole numbers up to this are exact in float32."""


def exact_in_float32(graph: Graph, entry: Entry) -> bool:
    """Whether all values and partial sums on Lava are proven to be exact in float32.

    Partial sums of a convolution lie within its bounds too, in whatever order they are taken.
    """
    bounds: dict[str, Interval] = {}
    order = bounding_order(graph, on_lava(graph))
    for node in order:
        if isinstance(node.op, Input):
            bounds[node.name] = between(node.shape, entry.low, entry.high)
        elif isinstance(node.op, Neuron):
            bounds[node.name] = spikes(node.shape)
        else:
            shown = node.op.feedback
            read = node.inputs if shown is None else (shown,)
            bounds[node.name] = interval(node.op, tuple(bounds[name] for name in read))
        # A quotient is taken of a sum plus half of the divisor.
        divisor = _divisor(graph, node)
        if (bounds[node.name].largest + 1) * divisor >= SINGLE_LIMIT:
            return False
    return all(
        isinstance(node.op, LavaLIF)
        and _shifts(node.op)
        and bounds[node.inputs[0]].largest < CURRENT_LIMIT
        for node in order
        if isinstance(node.op, Neuron)
    )


def _divisor(graph: Graph, node: Node) -> int:
    """What the op divides by, at most."""
    if isinstance(node.op, LavaMean):
        return node.op.count(graph[node.inputs[0]].shape)
    if isinstance(node.op, LavaAvgPool):
        return math.prod(node.op.kernel)
    return 2 ** max(0, -node.op.bits) if isinstance(node.op, LavaShift) else 1


def _shifts(op: LavaLIF) -> bool:
    """Whether both decays multiply by a power of two, or by zero."""
    kept = (DECAY_UNIT - op.dv, DECAY_UNIT - op.du - 1)
    return all(factor >= 0 and factor & (factor - 1) == 0 for factor in kept)
