"""What an artefact is, in words."""

from __future__ import annotations

from collections import Counter

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.targets.lava.frames import graph_entry
from spikeport.targets.lava.quantise import QuantisationReport
from spikeport.targets.lava.region import on_lava
from spikeport.targets.lava.retime import Schedule
from spikeport.targets.lava.rules import RULES


def summary(graph: Graph, report: QuantisationReport, schedule: Schedule) -> str:
    """Plain text for people who find the folder."""
    region = on_lava(graph)
    kinds = Counter(node.op.kind for node in graph if node.name in region)
    host = [node.name for node in graph if node.name not in region]
    simulated = [kind for kind in kinds if kind in RULES and RULES[kind].simulation_only]
    neurons = sum(isinstance(node.op, Neuron) for node in graph)
    lines = [
        "A spiking network lowered to the fixed-point arithmetic of Lava (lava-nc 0.10.0).",
        "",
        f"graph.spg      {len(graph)} nodes, {neurons} layers of neurons; weights are int32,",
        "               neurons are Lava's LIFReset.",
        "report.json    every approximation that was made, every limit and how close it is.",
        "schedule.json  latencies, delay lines and resets.",
        "",
        "On Lava: " + ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) + ".",
        "On the host, in float: " + (", ".join(host) or "nothing") + ".",
        f"N samples of T time steps take N T + {schedule.depth} steps.",
        _input(graph),
        _weights(report),
        "Simulation only (graded values, no counterpart on the chip): "
        + (", ".join(sorted(simulated)) or "nothing")
        + ".",
    ]
    warnings = report.warnings()
    lines += ["", f"Warnings: {len(warnings)}"]
    lines += [f"  {row}" for row in warnings]
    return "\n".join(lines) + "\n"


def _weights(report: QuantisationReport) -> str:
    searched = any(row.figure.startswith("current error, search") for row in report.rows)
    how = (
        f"search {report.options.get('search')!r} on calibration frames" if searched else "nearest"
    )
    return f"Weights: {report.options.get('weight_bits')} bits with sign; rounding: {how}."


def _input(graph: Graph) -> str:
    entry = graph_entry(graph)
    whole = f"whole numbers from {entry.low} to {entry.high}"
    if not entry.quantised:
        return f"Input: {whole} per pixel and step."
    return f"Input: real values x as round(x / {float(entry.unit):.9g}), clipped to {whole}."
