"""The exponent of each stream: the largest for which everything along it fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddConstant, Op
from spikeport.targets.lava import limits
from spikeport.targets.lava.ops import LavaShift
from spikeport.targets.lava.quantise.biases import Bias, Constants, as_bias
from spikeport.targets.lava.quantise.bounds import Interval, interval
from spikeport.targets.lava.quantise.layers import (
    Layer,
    fit_fine_layer,
    fit_layer,
    scaled_weight,
)
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.streams import Stream, exponent_of
from spikeport.targets.lava.rules import RULES, NeuronRule, SynapseRule
from spikeport.targets.lava.rules.synapses import channel_exponents

SEARCH_DEPTH = 48
"""How far below its largest sensible value an exponent is tried."""


@dataclass
class Fit:
    """One stream at one exponent.

    Attributes:
        units: of what each member emits.
        ops: whole-numbered ops by member, in the order in which they are computed; none if the
            member only changes the unit, or the constants.
        layers: those of the members that are layers.
        shifts: bits by which each entry (reader, source) is shifted.
        bounds: proven bounds of what each member emits.
        reads: unit of what each reader reads.
        currents: proven bounds of it.
        thresholds: vth of each reader, smallest and largest.
        fed_back: rounding error of the bias that members put into what they feed back.
        problems: (node, why, fix) of what does not fit.
        excess: the largest sum over its limit.
    """

    k: int
    units: dict[str, Fraction] = field(default_factory=dict)
    ops: dict[str, tuple[Op, ...]] = field(default_factory=dict)
    layers: dict[str, Layer] = field(default_factory=dict)
    shifts: dict[tuple[str, str], int] = field(default_factory=dict)
    bounds: dict[str, Interval] = field(default_factory=dict)
    reads: dict[str, Fraction] = field(default_factory=dict)
    currents: dict[str, Interval] = field(default_factory=dict)
    thresholds: dict[str, tuple[int, int]] = field(default_factory=dict)
    biases: dict[str, Bias] = field(default_factory=dict)
    fed_back: dict[str, float] = field(default_factory=dict)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    excess: float = 0.0

    @property
    def silences(self) -> bool:
        """Whether a threshold is so coarse that it is zero."""
        return any(low < 1 for low, _ in self.thresholds.values())


@dataclass(frozen=True)
class Scaler:
    """Chooses exponents.

    Attributes:
        units: of every edge that carries counts, and of the streams settled so far.
        bounds: proven bounds of the same edges.
        constants: biases accumulated on every edge that carries currents.
        peaks: largest magnitude, in real units and without bias, seen on each edge in calibration.
    """

    graph: Graph
    options: LoweringOptions
    units: dict[str, Fraction]
    bounds: dict[str, Interval]
    constants: Constants
    peaks: Mapping[str, float]

    def settle(self, stream: Stream, k: int | None = None) -> Fit:
        """Choose the exponent of a stream for good, so that others can read its currents.

        Args:
            k: the exponent, if it is chosen already.

        Raises:
            NodeRefused: as `choose`; at a given exponent, something does not fit.
        """
        if k is None:
            return self.accept(self.choose(stream))
        fit = self.attempt(stream, k)
        if fit.problems:
            raise self._refusal(fit.problems)
        return self.accept(fit)

    def accept(self, fit: Fit) -> Fit:
        """Let what follows read the currents of a stream at this fit."""
        self.units.update(fit.units)
        self.bounds.update(fit.bounds)
        return fit

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
            if last is not None and fit.silences:
                break
            last = fit if fit.problems else last
            # The lowest is tried in any case: what it lacks is what stands in the way.
            k = max(min(lowest, k - 1), k - _certain_steps(fit.excess))
        raise self._refusal(last.problems if last else [(stream.name, "no exponent fits.", "")])

    def _refusal(self, problems: list[tuple[str, str, str]]) -> NodeRefused:
        name, why, fix = problems[0]
        return NodeRefused(error(self.graph[name], why, fix))

    def _lowest(self, stream: Stream) -> int | None:
        needs = [
            -exponent_of(self.units[source] / stream.unit_of(self.graph, reader, 0))
            for reader, source in stream.entries
        ]
        return max(needs, default=None)

    def _needed(self, stream: Stream) -> int:
        """Exponent from which on no weight loses bits; without weights, that of the counts.

        Layers that read fine units shift their sums, so what their weights need counts for units
        of one.
        """
        wants: list[int] = []
        for name in stream.members:
            node = self.graph[name]
            if isinstance(RULES[node.op.kind], SynapseRule):
                scaled = self._scaled_weight(stream, node)
                own = int(channel_exponents(scaled, self.options.weight_bits).max())
                fine = 0 if self.graph[node.inputs[0]].domain.is_whole else self._precision(node)
                wants.append(own - fine)
        return max(wants) if wants else self._lowest(stream) or 0

    def _precision(self, node: Node) -> int:
        """Bits behind the point of what the node reads."""
        return -exponent_of(self.units[node.inputs[0]])

    def _extra(self, stream: Stream) -> int:
        rules = (RULES[self.graph[name].op.kind] for name in stream.members)
        weighted = any(isinstance(rule, SynapseRule) for rule in rules)
        return self.options.extra_bits if weighted else self.options.count_shift

    def _scaled_weight(self, stream: Stream, node: Node) -> Tensor:
        writes = stream.unit_of(self.graph, node.name, 0)
        return scaled_weight(node, self.units[node.inputs[0]], writes)

    def attempt(self, stream: Stream, k: int) -> Fit:
        """Lower the stream at this exponent and see what does not fit."""
        fit = Fit(k)
        for reader, source in stream.entries:
            unit = stream.unit_of(self.graph, reader, k)
            fit.shifts[reader, source] = bits = exponent_of(self.units[source] / unit)
            if bits < 0:
                why = f"counts would lose {-bits} bits to the scale of the currents they join."
                fit.problems.append((reader, why, "Add counts to counts only."))
                return fit
        for name in stream.members:
            fit.units[name] = stream.unit_of(self.graph, name, k)
            self._member(stream, self.graph[name], fit)
            if name in self.constants.fed_back:
                self._feed_back(self.graph[name], fit)
        for name in stream.readers:
            self._reader(stream, self.graph[name], fit)
        return fit

    def _source(self, fit: Fit, reader: str, source: str) -> Interval:
        if source in fit.bounds:
            return fit.bounds[source]
        bits = fit.shifts.get((reader, source), 0)
        return interval(LavaShift(bits), (self.bounds[source],)) if bits else self.bounds[source]

    def _member(self, stream: Stream, node: Node, fit: Fit) -> None:
        if isinstance(RULES[node.op.kind], SynapseRule):
            self._layer(stream, node, fit)
            return
        reads = [fit.units.get(name, fit.units[node.name]) for name in node.inputs]
        op = RULES[node.op.kind].lower(self.graph, node, reads)
        shown = node.op.feedback
        read = node.inputs if shown is None else (shown,)
        sources = tuple(self._source(fit, node.name, name) for name in read)
        fit.ops[node.name] = () if op is None else (op,)
        fit.bounds[node.name] = sources[0] if op is None else interval(op, sources)
        unit = fit.units[node.name]
        self._check_room(node.name, fit.bounds[node.name], unit, limits.MESSAGE_LIMIT, fit)

    def _feed_back(self, node: Node, fit: Fit) -> None:
        """Put the bias into currents that are fed back."""
        wanted = self.constants.fed_back[node.name] / float(fit.units[node.name])
        if not bool(wanted.any()):
            return
        constant = AddConstant(torch.round(wanted).clamp(-(2.0**31), 2.0**31 - 1).to(torch.int32))
        fit.ops[node.name] = (*fit.ops[node.name], constant)
        fit.bounds[node.name] = interval(constant, (fit.bounds[node.name],))
        error = float((constant.value - wanted).abs().max())
        fit.fed_back[node.name] = error * float(fit.units[node.name])
        unit = fit.units[node.name]
        self._check_room(node.name, fit.bounds[node.name], unit, limits.MESSAGE_LIMIT, fit)

    def _layer(self, stream: Stream, node: Node, fit: Fit) -> None:
        scaled, source = self._scaled_weight(stream, node), self.bounds[node.inputs[0]]
        bits = self.options.weight_bits

        def unit(exponent: int) -> Fraction:
            return fit.units[node.name] * Fraction(2) ** (fit.k - exponent)

        if not self.graph[node.inputs[0]].domain.is_whole:
            layer = fit_fine_layer(
                node, scaled, fit.k, bits, source, self._precision(node),
                lambda bounds, exponent: self._reached(node.name, bounds, unit(exponent)),
            )  # fmt: skip
        else:
            layer = fit_layer(node, scaled, fit.k, bits, source)
        fit.layers[node.name], fit.ops[node.name] = layer, layer.ops
        fit.bounds[node.name] = layer.bounds
        limit = limits.CONVOLUTION_LIMIT
        self._check_room(node.name, layer.sums, unit(layer.exponent), limit, fit)

    def _reader(self, stream: Stream, node: Node, fit: Fit) -> None:
        rule = cast(NeuronRule, RULES[node.op.kind])
        fit.reads[node.name] = unit = stream.unit_of(self.graph, node.name, fit.k)
        source = node.inputs[0]
        fit.currents[node.name] = self._source(fit, node.name, source)
        self._check_room(source, fit.currents[node.name], unit, limits.CURRENT_LIMIT, fit, node)
        vth = rule.threshold(node.op, unit)
        fit.thresholds[node.name] = low, high = int(vth.min()), int(vth.max())
        if low < 1 or high > limits.THRESHOLD_LIMIT:
            fix = "Rescale the weights before it and its threshold together."
            worse = low if low < 1 else high
            why = f"its threshold would be {worse}; Lava takes 1 to {limits.THRESHOLD_LIMIT}."
            fit.problems.append((node.name, why, fix))
        offset = self.constants.offsets.get(source)
        if offset is not None:
            fit.biases[node.name] = bias = as_bias(offset, unit)
            if not bias.fits:
                why = f"its bias exceeds {limits.BIAS_LIMIT}, the range of int16, and would wrap."
                fit.problems.append((node.name, why, "Train with smaller biases."))

    def _reached(self, edge: str, bounds: Interval, unit: Fraction) -> float:
        """The magnitude that head-room is needed for: proven, or seen with a margin."""
        if self.options.headroom == "static":
            return bounds.largest
        return min(bounds.largest, self.peaks[edge] / float(unit) * self.options.margin)

    def _check_room(
        self,
        edge: str,
        bounds: Interval,
        unit: Fraction,
        limit: int,
        fit: Fit,
        reader: Node | None = None,
    ) -> None:
        largest = self._reached(edge, bounds, unit)
        fit.excess = max(fit.excess, largest / limit)
        if largest >= limit:
            k = math.log2(1 / unit)
            why = f"sums may reach {largest:.0f} with exponent {k:.4g}; the limit is {limit}."
            fix = "Use fewer weight bits or headroom='observed', or train with weight decay."
            fit.problems.append((reader.name if reader else edge, why, fix))


def _certain_steps(excess: float) -> int:
    """How many exponents further down sums are sure to be too large still, plus one."""
    return max(1, math.floor(math.log2(excess))) if excess > 0 else 1
