"""Whether float32 holds every number of an integer graph."""

from __future__ import annotations

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Input, Neuron
from spikeport.targets.lava.limits import CURRENT_LIMIT, DECAY_UNIT
from spikeport.targets.lava.ops import LavaLIF, LavaMean
from spikeport.targets.lava.quantise.bounds import Interval, interval, spikes
from spikeport.targets.lava.region import on_lava

SINGLE_LIMIT = 2**24
"""Whole numbers up to this are exact in float32."""


def exact_in_float32(graph: Graph, input_max: int) -> bool:
    """Whether all values and partial sums on Lava are proven to be exact in float32.

    Partial sums of a convolution lie within its bounds too, in whatever order they are taken.
    """
    region = on_lava(graph)
    bounds: dict[str, Interval] = {}
    for node in graph:
        if node.name not in region:
            continue
        if isinstance(node.op, Input):
            bounds[node.name] = spikes(node.shape, input_max)
        elif isinstance(node.op, Neuron):
            reads = bounds[node.inputs[0]].largest
            if not isinstance(node.op, LavaLIF) or reads >= CURRENT_LIMIT or not _shifts(node.op):
                return False
            bounds[node.name] = spikes(node.shape)
        else:
            sources = tuple(bounds[name] for name in node.inputs)
            bounds[node.name] = interval(node.op, sources)
        summed = 2**node.op.bits if isinstance(node.op, LavaMean) else 1
        if bounds[node.name].largest * summed >= SINGLE_LIMIT:
            return False
    return True


def _shifts(op: LavaLIF) -> bool:
    """Whether both decays multiply by a power of two, or by zero."""
    kept = (DECAY_UNIT - op.dv, DECAY_UNIT - op.du - 1)
    return all(factor >= 0 and factor & (factor - 1) == 0 for factor in kept)
