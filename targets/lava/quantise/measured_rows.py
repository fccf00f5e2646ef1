"""Rows that need calibration frames."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.check import Severity
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Conv, Linear, Neuron
from spikeport.targets.lava import limits
from spikeport.targets.lava.quantise.calibration import Observation
from spikeport.targets.lava.quantise.report import QuantisationReport


def measure(report: QuantisationReport, whole: Graph, frames: Tensor, seen: Observation) -> None:
    """Peaks, firing rates and equal spikes, float against whole numbers, in calibration.

    Args:
        frames: as `whole_frames` makes them.
    """

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
