"""Everything that the choice of scales starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Input, Neuron
from spikeport.targets.lava.quantise.biases import accumulated
from spikeport.targets.lava.quantise.bounds import Interval, interval, spikes
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.scales import Scaler
from spikeport.targets.lava.quantise.streams import Stream, count_exponents, find_streams
from spikeport.targets.lava.rules import RULES
from spikeport.targets.lava.rules.base import carries_current


@dataclass(frozen=True)
class Plan:
    """The streams of a graph, and what chooses the exponent of each."""

    counts: dict[str, int]
    scaler: Scaler
    streams: list[Stream]


def plan(
    graph: Graph,
    region: set[str],
    options: LoweringOptions,
    input_max: int,
    *,
    offsets: dict[str, Tensor] | None = None,
    peaks: Mapping[str, float] | None = None,
) -> Plan:
    """Streams and bounds for a graph against whose nodes nothing stands.

    Args:
        input_max: largest count of events per pixel and step.
        offsets: `accumulated(graph, region)`, where it is known already.
        peaks: largest magnitudes seen in calibration.

    Raises:
        NodeRefused: biases or scaled sums cannot be expressed.
    """
    offsets = accumulated(graph, region) if offsets is None else offsets
    counts = count_exponents(graph, region)
    bounds = _count_bounds(graph, region, counts, input_max)
    scaler = Scaler(graph, options, counts, bounds, offsets, peaks or {})
    return Plan(counts, scaler, find_streams(graph, region))


def _count_bounds(
    graph: Graph, region: set[str], counts: dict[str, int], input_max: int
) -> dict[str, Interval]:
    bounds: dict[str, Interval] = {}
    for node in graph:
        if node.name not in region or carries_current(node):
            continue
        if isinstance(node.op, Neuron):
            bounds[node.name] = spikes(node.shape)
        elif isinstance(node.op, Input):
            bounds[node.name] = spikes(node.shape, input_max)
        else:
            inputs = [counts[name] for name in node.inputs]
            op = RULES[node.op.kind].lower(graph, node, inputs, counts[node.name])
            sources = tuple(bounds[name] for name in node.inputs)
            bounds[node.name] = sources[0] if op is None else interval(op, sources)
    return bounds
