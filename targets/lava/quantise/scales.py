"""The exponent of each stream: the largest for which everything along it fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from torch import Tensor

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, Op
from spikeport.targets.lava import limits
from spikeport.targets.lava.ops import LavaShift
from spikeport.targets.lava.quantise.biases import Bias, as_bias
from spikeport.targets.lava.quantise.bounds import Interval, interval
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.streams import Stream
from spikeport.targets.lava.rules import RULES, NeuronRule, SynapseRule
from spikeport.targets.lava.rules.synapses import channel_exponents

SEARCH_DEPTH = 48
"""How far below its largest sensible value an exponent is tried."""


@dataclass
class Fit:
    """One stream at one exponent.

    Attributes:
        ops: whole-numbered op by member (None: the member only changes the exponent).
        shifts: bits by which each entry (reader, source) is shifted.
        bounds: proven bounds of what each member emits.
        currents: proven bounds of what each reader reads.
        problems: (node, why, fix) of what does not fit.
        excess: the largest sum over its limit.
    """

    k: int
    ops: dict[str, Op | None] = field(default_factory=dict)
    shifts: dict[tuple[str, str], int] = field(default_factory=dict)
    bounds: dict[str, Interval] = field(default_factory=dict)
    currents: dict[str, Interval] = field(default_factory=dict)
    thresholds: dict[str, int] = field(default_factory=dict)
    biases: dict[str, Bias] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    excess: float = 0.0


@dataclass(frozen=True)
class Scaler:
    """Chooses exponents.

    Attributes:
        counts: exponent of every edge that carries counts.
        bounds: proven bounds of every edge that carries counts.
        offsets: bias accumulated on every edge that carries currents.
        peaks: largest magnitude, in real units and without bias, seen on each edge in calibration.
    """

    graph: Graph
    options: LoweringOptions
    counts: Mapping[str, int]
    bounds: Mapping[str, Interval]
    offsets: Mapping[str, Tensor]
    peaks: Mapping[str, float]

    def choose(self, stream: Stream) -> Fit:
        """The fit with the largest exponent that leaves no problem.

        Exponents beyond what the weights need are taken only while biases fit the chip.

        Raises:
            NodeRefused: none does; tells what stands in the way at the last useful one.
        """
        needed, lowest = self._needed(stream), self._lowest(stream)
        k = highest = needed + self._extra(stream)
        lowest = highest - SEARCH_DEPTH if lowest is None else min(lowest, highest)
        last: Fit | None = None
        while k >= lowest:
            fit = self.attempt(stream, k)
            fits_chip = all(bias.fits_chip for bias in fit.biases.values())
            if not fit.problems and (fits_chip or k <= max(needed, lowest)):
                return fit
            if last is not None and min(fit.thresholds.values(), default=1) < 1:
                break
            last = fit if fit.problems else last
            k -= _certain_steps(fit.excess)
        problems = last.problems if last else [(stream.name, "no exponent fits.", "")]
        name, why, fix = problems[0]
        raise NodeRefused(error(self.graph[name], why, fix))

    def _lowest(self, stream: Stream) -> int | None:
        needs = [
            self.counts[source] - stream.exponent_of(self.graph, reader, 0)
            for reader, source in stream.entries
        ]
        return max(needs, default=None)

    def _needed(self, stream: Stream) -> int:
        """Exponent from which on no weight loses bits; without weights, that of the counts."""
        wants = []
        for name, offset in stream.members.items():
            node = self.graph[name]
            rule = RULES[node.op.kind]
            if isinstance(rule, SynapseRule):
                weight = rule.scaled_weight(node, self._count_exponents(node))
                own = channel_exponents(weight, self.options.weight_bits)
                wants.append(int(own.max()) - offset)
        return max(wants) if wants else self._lowest(stream) or 0

    def _extra(self, stream: Stream) -> int:
        only_counts = not stream.members
        return self.options.count_shift if only_counts else self.options.extra_bits

    def _count_exponents(self, node: Node) -> list[int]:
        return [self.counts[name] for name in node.inputs]

    def attempt(self, stream: Stream, k: int) -> Fit:
        """Lower the stream at this exponent and see what does not fit."""
        fit = Fit(k)
        for reader, source in stream.entries:
            bits = stream.exponent_of(self.graph, reader, k) - self.counts[source]
            fit.shifts[reader, source] = bits
            if bits < 0:
                why = f"counts would lose {-bits} bits to the scale of the currents they join."
                fit.problems.append((reader, why, "Add counts to counts only."))
                return fit
        for name in stream.members:
            if self.graph[name].inputs:
                self._member(stream, self.graph[name], fit)
        for name in stream.readers:
            self._reader(stream, self.graph[name], fit)
        return fit

    def _source(self, fit: Fit, reader: str, source: str) -> Interval:
        if source in fit.bounds:
            return fit.bounds[source]
        bits = fit.shifts.get((reader, source), 0)
        return interval(LavaShift(bits), (self.bounds[source],))

    def _member(self, stream: Stream, node: Node, fit: Fit) -> None:
        rule, exponent = RULES[node.op.kind], fit.k + stream.members[node.name]
        if isinstance(rule, SynapseRule):
            bits = self.options.weight_bits
            op: Op | None = rule.with_bits(node, self._count_exponents(node), exponent, bits)
        else:
            inputs = [fit.k + stream.members.get(name, 0) for name in node.inputs]
            op = rule.lower(self.graph, node, inputs, exponent)
        sources = tuple(self._source(fit, node.name, name) for name in node.inputs)
        fit.ops[node.name] = op
        fit.bounds[node.name] = sources[0] if op is None else interval(op, sources)
        wraps = isinstance(op, Conv | Linear)
        limit = limits.CONVOLUTION_LIMIT if wraps else limits.MESSAGE_LIMIT
        self._check_room(node.name, fit.bounds[node.name], exponent, limit, fit)

    def _reader(self, stream: Stream, node: Node, fit: Fit) -> None:
        rule = cast(NeuronRule, RULES[node.op.kind])
        exponent = stream.exponent_of(self.graph, node.name, fit.k)
        source = node.inputs[0]
        fit.currents[node.name] = self._source(fit, node.name, source)
        self._check_room(node.name, fit.currents[node.name], exponent, limits.CURRENT_LIMIT, fit)
        fit.thresholds[node.name] = vth = rule.threshold(node.op, exponent)
        if not 1 <= vth <= limits.THRESHOLD_LIMIT:
            fix = "Rescale the weights before it and its threshold together."
            why = f"its threshold would be {vth}; Lava takes 1 to {limits.THRESHOLD_LIMIT}."
            fit.problems.append((node.name, why, fix))
        if source in self.offsets:
            fit.biases[node.name] = bias = as_bias(self.offsets[source], exponent)
            if not bias.fits:
                why = f"its bias exceeds {limits.BIAS_LIMIT}, the range of int16, and would wrap."
                fit.problems.append((node.name, why, "Train with smaller biases."))

    def _check_room(self, name: str, bounds: Interval, k: int, limit: int, fit: Fit) -> None:
        largest = bounds.largest
        if self.options.headroom == "observed":
            node = self.graph[name]
            edge = name if name in fit.ops else node.inputs[0]
            largest = min(largest, math.ldexp(self.peaks[edge], k) * self.options.margin)
        fit.excess = max(fit.excess, largest / limit)
        if largest >= limit:
            why = f"sums may reach {largest:.0f} with exponent {k}; the limit is {limit}."
            fix = "Use fewer weight bits or headroom='observed', or train with weight decay."
            fit.problems.append((name, why, fix))


def _certain_steps(excess: float) -> int:
    """How many exponents further down sums are sure to be too large still, plus one."""
    return max(1, math.floor(math.log2(excess))) if excess > 0 else 1


def layer_of(node: Node) -> Conv | Linear:
    """The synapse op of a node that is known to hold one."""
    return cast("Conv | Linear", node.op)
