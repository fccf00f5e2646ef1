"""Rows about the search."""

from __future__ import annotations

from spikeport.convert.check import Severity
from spikeport.convert.graph import Graph, Node
from spikeport.targets.lava.quantise.layers import layer_of
from spikeport.targets.lava.quantise.options import Search
from spikeport.targets.lava.quantise.report import QuantisationReport
from spikeport.targets.lava.quantise.search.choose import ROWS_PER_INPUT, Chosen, Gain


def describe_search(report: QuantisationReport, graph: Graph, chosen: Chosen, how: Search) -> None:
    """What was chosen by calibration, and what each layer's current gains by it."""
    for name, gain in chosen.gains.items():
        if gain.enough:
            _gained(report, graph[name], gain, how)
        else:
            _too_little(report, graph[name], gain)


def _gained(report: QuantisationReport, node: Node, gain: Gain, how: Search) -> None:
    def add(figure: str, value: float, unit: str) -> None:
        report.add(node.name, node.path, figure, value, unit)

    scale = gain.scale or 1.0
    add("current error, nearest rounding", gain.before / scale, "of its spread")
    add(f"current error, search {how}", gain.after / scale, "of its spread")
    add("bias correction, largest", gain.bias, "current")
    if gain.clipped:
        add("channels whose largest weights are clipped", gain.clipped, "channels")


def _too_little(report: QuantisationReport, node: Node, gain: Gain) -> None:
    """Not searched; a note, for rounding to the nearest number is what `weight error` tells."""
    needed = ROWS_PER_INPUT * layer_of(node).weight[0].numel()
    report.add(
        node.name,
        node.path,
        "inputs seen in calibration, too few for a search",
        gain.seen,
        "inputs",
        limit=needed,
        severity=Severity.NOTE,
        advice="Each weight is rounded to the nearest number. Give more calibration frames.",
    )
