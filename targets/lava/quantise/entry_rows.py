"""Rows about the input."""

from __future__ import annotations

from torch import Tensor

from spikeport.convert.check import Severity
from spikeport.convert.graph import Node
from spikeport.targets.lava.entry import Entry
from spikeport.targets.lava.quantise.report import QuantisationReport


def describe_entry(
    report: QuantisationReport, node: Node, entry: Entry, frames: Tensor | None
) -> None:
    """What the input may hold, and what is lost of it where it is real."""

    def add(figure: str, value: float, unit: str, limit: float | None = None) -> None:
        report.add(node.name, node.path, figure, value, unit, limit=limit, severity=Severity.NOTE)

    if not entry.quantised:
        add("largest count allowed", entry.high, "events")
        return
    add("input unit", float(entry.unit), "of the input")
    add("input range", float(entry.high * entry.unit), "of the input")
    if frames is None or not frames.numel():
        return
    exact, got = frames.double(), entry.whole(frames, node.name) * float(entry.unit)
    norm = float(exact.norm())
    add("input error", float((got - exact).norm()) / norm if norm else 0.0, "of the input's norm")
    reach = (entry.high + 0.5) * float(entry.unit)
    add("input values clipped", float((exact.abs() > reach).double().mean()), "of all")
