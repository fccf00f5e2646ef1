"""What the folder is, in words, and how to run it without Spikeport."""

from __future__ import annotations

import json
from collections.abc import Mapping

from onnx import ModelProto

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.targets.onnx.metadata import read_metadata
from spikeport.targets.onnx.report import OnnxReport

_UNROLLED = """
    import numpy, onnxruntime
    session = onnxruntime.InferenceSession("unrolled.onnx")
    frames = numpy.zeros({shape}, "{dtype}")  # two samples
    (output,) = session.run(None, {{"{entry}": frames}})
"""
_STEP = """
    import json
    session = onnxruntime.InferenceSession("step.onnx")
    states = json.loads(session.get_modelmeta().custom_metadata_map["spikeport.states"])
    full = lambda s: numpy.full((2, *s["shape"]) if s["shape"] else (), s["initial"], s["dtype"])
    values = {{s["name"]: full(s) for s in states}}
    outputs = ["{last}", *(s["next"] for s in states)]
    for frame in {each}:
        output, *after = session.run(outputs, {{"{entry}": frame, **values}})
        values = dict(zip(values, after))
"""


def summary(graph: Graph, report: OnnxReport, models: Mapping[str, ModelProto]) -> str:
    """Plain text for people who find the folder."""
    told = read_metadata(models["unrolled"])
    neurons = sum(isinstance(node.op, Neuron) for node in graph)
    entry, last = graph.input, models["unrolled"].graph.output[0].name
    shape = (*([report.steps] if entry.per_step else []), 2, *entry.shape)
    lines = [
        f"A spiking network in ONNX (opset {report.opset}, IR version {report.ir_version}, "
        f"{report.dtype}): {len(graph)} nodes, {neurons} layers of neurons.",
        "",
        f"unrolled.onnx  {entry.name} {told['layout']} -> {last}, {report.steps} steps at once.",
    ]
    if "step" in models:
        lines += _of_step(models["step"])
    lines += [
        "graph.spg      the graph that was written; its nodes give the values their names.",
        "report.json    what was written.",
        "",
        f"Input: {told['preprocessing']}",
        "The metadata of the ONNX files tells the conventions of every layer of neurons.",
        *[f"Note: {warning}" for warning in report.warnings()],
        "",
        "Without Spikeport, with numpy and onnxruntime:",
        _UNROLLED.format(shape=shape, dtype=report.dtype, entry=entry.name).rstrip(),
    ]
    if "step" in models:
        each = "frames" if entry.per_step else f"[frames] * {report.steps}"
        code = _STEP.format(last=graph.outputs[0], each=each, entry=entry.name)
        lines += ["", "Step by step:", code.rstrip()]
    return "\n".join(lines) + "\n"


def _of_step(model: ModelProto) -> list[str]:
    told = read_metadata(model)
    states = json.loads(told["states"])
    entry, last = model.graph.input[0].name, model.graph.output[0].name
    return [
        f"step.onnx      {entry} {told['layout']} and {len(states)} states -> {last} and their",
        "               successors, one time step. Begin with the initial value of each state",
        "               (metadata spikeport.states), hand successors back at the next step.",
        "               The output is valid after each step.",
    ]
