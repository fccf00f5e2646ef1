"""What the weights of this moment are in whole numbers, by the lowering itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.targets.lava.entry import Entry
from spikeport.targets.lava.limits import CURRENT_SHIFT
from spikeport.targets.lava.quantise.assemble import assemble
from spikeport.targets.lava.quantise.biases import accumulated
from spikeport.targets.lava.quantise.exactness import exact_in_float32
from spikeport.targets.lava.quantise.plan import Plan
from spikeport.targets.lava.quantise.scales import Fit
from spikeport.targets.lava.quantise.streams import Stream


@dataclass(frozen=True)
class Current:
    """An integer network, and what its numbers were rounded from.

    Attributes:
        whole: as `lower` makes it at the same exponents.
        weights: per layer the weight before rounding, in the units of the whole one, with gradient.
        biases: per neuron the bias before rounding, `[*feature]`, in units of the membrane.
        single: whether float32 holds every number of it.
    """

    whole: Graph
    weights: dict[str, Tensor]
    biases: dict[str, Tensor]
    single: bool


def current(
    graph: Graph, planned: Plan, region: set[str], exponents: Mapping[str, int], entry: Entry
) -> Current:
    """Lower a float graph whose parameters may require gradients.

    What does not fit the head-room is not refused here: the numbers wrap and saturate as Lava's.

    Args:
        planned: for the same graph with other weights.
    """
    constants = accumulated(graph, region)
    offsets = constants.offsets
    with torch.no_grad():
        scaler = replace(
            planned.scaler,
            graph=graph,
            units=dict(planned.units),
            bounds=dict(planned.count_bounds),
            constants=constants.detached(),
        )
        fits = [(s, scaler.accept(scaler.attempt(s, exponents[s.name]))) for s in planned.streams]
        whole = assemble(graph, region, planned.units, fits)
        single = exact_in_float32(whole, entry)
    weights, biases = dict[str, Tensor](), dict[str, Tensor]()
    for stream, fit in fits:
        weights |= _weights(graph, stream, fit, scaler.units)
        for name in stream.readers:
            source = graph[name].inputs[0]
            if source in offsets:
                biases[name] = offsets[source] / float(fit.reads[name]) * 2.0**CURRENT_SHIFT
    return Current(whole, weights, biases, single)


def _weights(
    graph: Graph, stream: Stream, fit: Fit, units: Mapping[str, Fraction]
) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, layer in fit.layers.items():
        node = graph[name]
        ratio = units[node.inputs[0]] / stream.unit_of(graph, name, 0)
        weight = node.op.tensors()["weight"].double()
        found[name] = weight * (float(ratio) * 2.0**layer.exponent)
    return found
