"""Everything that the choice of scales starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Delay, Input, Neuron
from spikeport.targets.lava.entry import Entry
from spikeport.targets.lava.quantise.biases import Constants, accumulated
from spikeport.targets.lava.quantise.bounds import Interval, between, interval, spikes
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.scales import Fit, Scaler
from spikeport.targets.lava.quantise.streams import Stream, count_units, find_streams
from spikeport.targets.lava.rules import RULES
from spikeport.targets.lava.rules.base import carries_current


@dataclass(frozen=True)
class Plan:
    """The streams of a graph, and what chooses the exponent of each.

    Attributes:
        units: of every edge that carries counts.
        count_bounds: proven bounds of the same edges.
    """

    units: dict[str, Fraction]
    count_bounds: dict[str, Interval]
    scaler: Scaler
    streams: list[Stream]

    def choose(self, exponents: Mapping[str, int] | None = None) -> list[tuple[Stream, Fit]]:
        """Every stream with its exponent, those first whose currents others read.

        Args:
            exponents: those chosen already, by name of the stream.

        Raises:
            NodeRefused: no exponent leaves enough head-room, or a given one does not.
        """
        given = exponents or {}
        return [(s, self.scaler.settle(s, given.get(s.name))) for s in self.streams]


def plan(
    graph: Graph,
    region: set[str],
    options: LoweringOptions,
    entry: Entry,
    *,
    constants: Constants | None = None,
    peaks: Mapping[str, float] | None = None,
) -> Plan:
    """Streams and bounds for a graph against whose nodes nothing stands.

    Args:
        graph: its input declared (`entry.declared`).
        constants: `accumulated(graph, region)`, where it is known already.
        peaks: largest magnitudes seen in calibration.

    Raises:
        NodeRefused: biases or scaled sums cannot be expressed.
    """
    constants = accumulated(graph, region) if constants is None else constants
    units = count_units(graph, region, entry.unit)
    bounds = _count_bounds(graph, region, units, entry)
    scaler = Scaler(graph, options, dict(units), dict(bounds), constants, peaks or {})
    return Plan(units, bounds, scaler, find_streams(graph, region, units))


def _count_bounds(
    graph: Graph, region: set[str], units: dict[str, Fraction], entry: Entry
) -> dict[str, Interval]:
    bounds: dict[str, Interval] = {}
    for node in graph:
        if node.name not in region or carries_current(node):
            continue
        if isinstance(node.op, Neuron | Delay):
            bounds[node.name] = spikes(node.shape)
        elif isinstance(node.op, Input):
            bounds[node.name] = between(node.shape, entry.low, entry.high)
        else:
            op = RULES[node.op.kind].lower(graph, node, [units[name] for name in node.inputs])
            sources = tuple(bounds[name] for name in node.inputs)
            bounds[node.name] = sources[0] if op is None else interval(op, sources)
    return bounds
