"""The rows of the report."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from torch import Tensor

from spikeport.convert.check import Severity
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep
from spikeport.targets.lava import limits
from spikeport.targets.lava.frames import graph_entry, whole_frames
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean
from spikeport.targets.lava.quantise.calibration import Observation
from spikeport.targets.lava.quantise.entry_rows import describe_entry
from spikeport.targets.lava.quantise.layers import Layer, layer_of, unit_ratio
from spikeport.targets.lava.quantise.measured_rows import measure
from spikeport.targets.lava.quantise.report import QuantisationReport
from spikeport.targets.lava.quantise.scales import Fit, Scaler
from spikeport.targets.lava.quantise.streams import Stream

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
    """Fill in every approximation that was made, and every limit that was kept.

    Args:
        graph: before the search: what weights are compared with.
    """
    writer = _Writer(report, graph, scaler)
    describe_entry(report, graph.input, graph_entry(whole), frames)
    for stream, fit in fits:
        for name in stream.members:
            writer.member(fit, graph[name])
        for name in stream.readers:
            writer.reader(fit, graph[name])
    writer.host(set(whole.metadata["lava"]["on_lava"]))
    if frames is not None and seen is not None:
        measure(report, whole, whole_frames(whole, frames), seen)


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

    def member(self, fit: Fit, node: Node) -> None:
        if node.name in fit.layers:
            self._layer(fit.layers[node.name], fit.units[node.name], node)
        if any(isinstance(op, LavaMean | LavaAvgPool) for op in fit.ops[node.name]):
            rounding = 0.5 * float(fit.units[node.name])
            self._add(node, "rounding of the mean, largest", rounding, "current")

        if node.name in fit.fed_back:
            self._add(
                node, "rounding of the bias fed back, largest", fit.fed_back[node.name], "current"
            )
        if isinstance(node.op, AddPerStep):
            rounding = 0.5 * float(fit.units[node.name])
            self._add(node, "rounding of the constants, largest", rounding, "current")

    def _layer(self, layer: Layer, unit: Fraction, node: Node) -> None:
        bits = self.scaler.options.weight_bits
        got = layer.op.weight.double() * 2.0**-layer.exponent
        searched = self.scaler.graph[node.name]
        exact = layer_of(node).weight.double() * unit_ratio(searched, layer)
        norm = float(exact.norm())
        self._add(
            node,
            "weight error",
            float((got - exact).norm()) / norm if norm else 0.0,
            "of the weights' norm",
        )
        lost = (layer.own - layer.exponent).clamp(min=0)
        worst = int(lost.max())
        advice = (
            f"{int((lost > 0).sum())} of {len(lost)} channels are affected; "
            "headroom='observed' leaves more bits."
        )
        self._add(node, "weight bits lost to head-room", worst, "bits", 0, advice if worst else "")
        largest = int(layer.op.weight.abs().max())
        self._add(node, "largest weight", largest, "units", limits.MESSAGE_LIMIT)
        if bits > limits.CHIP_WEIGHT_BITS:
            advice = "The chip stores 8 bits; wider weights run in simulation only."
            self._add(node, "weight bits", bits, "bits", limits.CHIP_WEIGHT_BITS, advice)
        bias = layer_of(node).bias
        if bias is not None and bool(bias.any()):
            self._add(
                node, "largest bias, moved to the neurons", float(bias.abs().max()), "current"
            )
        if layer.dropped:
            reads = float(self.scaler.units[node.inputs[0]])
            rounding = 0.5 * reads * 2**layer.dropped
            self._add(node, "rounding of the currents it reads, largest", rounding, "current")
        if layer.excess:
            self._add(node, "rounding of the sums, largest", 0.5 * float(unit), "current")
        self._room(node, layer.sums.largest, limits.CONVOLUTION_LIMIT)

    def _room(self, node: Node, bound: float, limit: int) -> None:
        unproven = bound >= limit
        advice = "Not proven: larger inputs than those of the calibration may overflow unnoticed."
        self._add(node, "head-room, proven", bound, "units", limit, advice if unproven else "")

    def reader(self, fit: Fit, node: Node) -> None:
        unit = fit.reads[node.name]
        self._add(node, "exponent of the current", math.log2(1 / unit), "bits")
        self._room(node, fit.currents[node.name].largest, limits.CURRENT_LIMIT)
        low, vth = fit.thresholds[node.name]
        advice = "Few steps below the threshold: give the layers before it more head-room."
        self._add(
            node,
            "threshold",
            vth,
            "units",
            limits.THRESHOLD_LIMIT,
            advice if low < COARSE_THRESHOLD else "",
        )
        if low != vth:
            advice = "Lava's simulation takes them; they are not documented for the chip."
            self._add(
                node, "thresholds differ between channels, smallest", low, "units", vth, advice
            )
        # Membranes inside one unit below the threshold fire, where the float neuron stays silent.
        self._add(node, "threshold offset, largest", 1.0 / (low + 1), "of the threshold")
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
            self._add(node, "rounding of the bias, largest", bias.error * float(unit), "current")

    def host(self, region: set[str]) -> None:
        for node in self.graph:
            if node.name not in region:
                self._add(node, "computed on the host, in float", 1, "layer")
