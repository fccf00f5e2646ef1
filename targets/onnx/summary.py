"""What the folder is, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping

from onnx import ModelProto

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.targets.onnx.metadata import read_metadata
from spikeport.targets.onnx.report import OnnxReport


def summary(graph: Graph, report: OnnxReport, models: Mapping[str, ModelProto]) -> str:
    """Plain text for people who find the folder."""
    told = read_metadata(models["unrolled"])
    neurons = sum(isinstance(node.op, Neuron) for node in graph)
    entry, last = graph.input.name, graph.outputs[0]
    lines = [
        f"A spiking network in ONNX (opset {report.opset}, IR version {report.ir_version}, "
        f"{report.dtype}): {len(graph)} nodes, {neurons} layers of neurons.",
        "",
        f"unrolled.onnx  {entry} {told['layout']} -> {last}, all {report.steps} steps at once.",
    ]
    if "step" in models:
        states = json.loads(read_metadata(models["step"])["states"])
        layout = read_metadata(models["step"])["layout"]
        lines += [
            f"step.onnx      {entry} {layout} and {len(states)} states -> {last} and their",
            "               successors, one time step. Begin with the initial value of each state",
            "               (metadata spikeport.states), hand successors back at the next step.",
            "               The output is valid after each step.",
        ]
    lines += [
        "graph.spg      the graph that was written; its nodes give the values their names.",
        "report.json    what was written.",
        "",
        f"Input: {told['preprocessing']}",
        "The metadata of both files tells the conventions of every layer of neurons.",
        *[f"Note: {warning}" for warning in report.warnings()],
    ]
    return "\n".join(lines) + "\n"
