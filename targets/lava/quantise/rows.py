"""The rows of the report."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.check import Severity
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Conv, Linear, Neuron
from spikeport.targets.lava import limits
from spikeport.targets.lava.ops import LavaMean
from spikeport.targets.lava.quantise.calibration import Observation
from spikeport.targets.lava.quantise.report import QuantisationReport
from spikeport.targets.lava.quantise.scales import Fit, Scaler, layer_of
from spikeport.targets.lava.quantise.streams import Stream
from spikeport.targets.lava.rules import RULES, SynapseRule
from spikeport.targets.lava.rules.synapses import channel_exponents

COARSE_THRESHOLD = 31
"""Below this, one unit of current is more than 3 % of the threshold."""


def describe(
    report: QuantisationReport,
    graph: Graph,
    whole: Graph,
    fits: list[tuple[Stream, Fit]],
    scaler: Scaler,
    frames: Tensor | None,
    seen: Observation | None,
) -> None:
    """Fill in every approximation that was made, and every limit that was kept."""
    writer = _Writer(report, graph, scaler)
    writer.input()
    for stream, fit in fits:
        for name in stream.members:
            writer.member(stream, fit, graph[name])
        for name in stream.readers:
            writer.reader(stream, fit, graph[name])
    writer.host(set(whole.metadata["lava"]["on_lava"]))
    if frames is not None and seen is not None:
        _measure(report, whole, frames, seen)


@dataclass(frozen=True)
class _Writer:
    report: QuantisationReport
    graph: Graph
    scaler: Scaler

    def _add(
        self,
        node: Node,
        figure: str,
        value: float,
        unit: str,
        limit: float | None = None,
        warn: str = "",
    ) -> None:
        severity = Severity.WARNING if warn else Severity.NOTE
        self.report.add(
            node.name, node.path, figure, value, unit, limit=limit, severity=severity, advice=warn
        )

    def input(self) -> None:
        node = self.graph.input
        self._add(node, "largest count allowed", self.report.options["input_max"], "events")

    def member(self, stream: Stream, fit: Fit, node: Node) -> None:
        exponent = fit.k + stream.members[node.name]
        if isinstance(RULES[node.op.kind], SynapseRule):
            self._weights(fit, node, exponent)
            self._room(node, fit.bounds[node.name].largest, limits.CONVOLUTION_LIMIT)
        if isinstance(fit.ops[node.name], LavaMean):
            self._add(node, "rounding of the mean, largest", 0.5 * 2.0**-exponent, "current")

    def _weights(self, fit: Fit, node: Node, exponent: int) -> None:
        inputs = [self.scaler.counts[name] for name in node.inputs]
        rule = RULES[node.op.kind]
        if not isinstance(rule, SynapseRule):
            return
        wanted = rule.scaled_weight(node, inputs)
        lowered = fit.ops[node.name]
        if lowered is None:
            return
        got = lowered.tensors()["weight"].double() * 2.0**-exponent
        norm = float(wanted.norm())
        self._add(
            node,
            "weight error",
            float((got - wanted).norm()) / norm if norm else 0.0,
            "of the weights' norm",
        )
        lost = (channel_exponents(wanted, self.scaler.options.weight_bits) - exponent).clamp(min=0)
        worst = int(lost.max())
        advice = (
            f"{int((lost > 0).sum())} of {len(lost)} channels are affected; "
            "headroom='observed' leaves more bits."
        )
        self._add(node, "weight bits lost to head-room", worst, "bits", 0, advice if worst else "")
        largest = int(lowered.tensors()["weight"].abs().max())
        self._add(node, "largest weight", largest, "units", limits.MESSAGE_LIMIT)
        if self.scaler.options.weight_bits > limits.CHIP_WEIGHT_BITS:
            advice = "The chip stores 8 bits; wider weights run in simulation only."
            self._add(
                node,
                "weight bits",
                self.scaler.options.weight_bits,
                "bits",
                limits.CHIP_WEIGHT_BITS,
                advice,
            )
        bias = layer_of(node).bias
        if bias is not None and bool(bias.any()):
            self._add(
                node, "largest bias, moved to the neurons", float(bias.abs().max()), "current"
            )

    def _room(self, node: Node, bound: float, limit: int) -> None:
        unproven = bound >= limit
        advice = "Not proven: larger inputs than those of the calibration may overflow unnoticed."
        self._add(node, "head-room, proven", bound, "units", limit, advice if unproven else "")

    def reader(self, stream: Stream, fit: Fit, node: Node) -> None:
        exponent = stream.exponent_of(self.graph, node.name, fit.k)
        self._add(node, "exponent of the current", exponent, "bits")
        self._room(node, fit.currents[node.name].largest, limits.CURRENT_LIMIT)
        vth = fit.thresholds[node.name]
        advice = "Few steps below the threshold: give the layers before it more head-room."
        self._add(
            node,
            "threshold",
            vth,
            "units",
            limits.THRESHOLD_LIMIT,
            advice if vth < COARSE_THRESHOLD else "",
        )
        # Membranes inside one unit below the threshold fire, where the float neuron stays silent.
        self._add(node, "threshold offset, largest", 1.0 / (vth + 1), "of the threshold")
        bias = fit.biases.get(node.name)
        if bias is not None and bias.mantissa is not None:
            largest = int(bias.mantissa.abs().max())
            advice = "Beyond the 13 bits of the chip; runs in simulation."
            self._add(
                node,
                "bias mantissa",
                largest,
                "units",
                limits.CHIP_BIAS_LIMIT,
                "" if bias.fits_chip else advice,
            )
            self._add(node, "bias exponent", bias.exponent, "bits")
            self._add(node, "rounding of the bias, largest", bias.error * 2.0**-exponent, "current")

    def host(self, region: set[str]) -> None:
        for node in self.graph:
            if node.name not in region:
                self._add(node, "computed on the host, in float", 1, "layer")


def _measure(report: QuantisationReport, whole: Graph, frames: Tensor, seen: Observation) -> None:
    """Peaks, firing rates and equal spikes, float against whole numbers, in calibration."""

    def room(node: Node, value: Tensor, limit: int) -> None:
        peak = float(value.abs().max()) if value.numel() else 0.0
        severity = Severity.WARNING if peak >= limit else Severity.NOTE
        advice = "It overflows already in calibration." if peak >= limit else ""
        report.add(node.name, node.path, "head-room, observed", peak, "units", limit=limit,
                   severity=severity, advice=advice)  # fmt: skip

    def tap(node: Node, value: Tensor) -> None:
        for reader in whole.consumers(node.name):
            if isinstance(reader.op, Neuron):
                room(reader, value, limits.CURRENT_LIMIT)
        if isinstance(node.op, Conv | Linear) and node.name in region:
            room(node, value, limits.CONVOLUTION_LIMIT)
        if isinstance(node.op, Neuron):
            _compare_spikes(report, node, value.to(torch.bool), seen.spikes[node.name])

    region = set(whole.metadata["lava"]["on_lava"])
    Interpreter(whole, torch.float64).run(frames, tap)


def _compare_spikes(report: QuantisationReport, node: Node, got: Tensor, want: Tensor) -> None:
    for figure, count in (
        ("firing rate, float", int(want.sum())),
        ("firing rate, fixed point", int(got.sum())),
        ("spikes that differ from float", int((got != want).sum())),
    ):
        report.add(node.name, node.path, figure, count / max(1, got.numel()), "of all")
