"""From a graph to the two models: what is written, and written how."""

from __future__ import annotations

from functools import partial

from onnx import ModelProto

from spikeport.convert.check import judge, raise_errors, rewritten
from spikeport.convert.graph import Graph
from spikeport.targets.onnx.metadata import metadata
from spikeport.targets.onnx.options import OnnxOptions
from spikeport.targets.onnx.requirements import PASSES, Requirements
from spikeport.targets.onnx.steps import chosen_steps
from spikeport.targets.onnx.streamed import write_step
from spikeport.targets.onnx.unrolled import Unrolled


def prepared(graph: Graph, options: OnnxOptions) -> Graph:
    """The graph that is written: checked, and what is static hoisted out of time.

    Raises:
        UnsupportedError: a finding of severity error; the first, and how many more.
    """
    rules = partial(Requirements, dtype=options.dtype, streaming=options.streaming)
    raise_errors(judge(graph, "onnx", PASSES, rules).findings)
    changed = rewritten(graph, PASSES).graph
    if changed is not graph and (proof := changed.metadata.pop("certificate", None)) is not None:
        # It speaks about the graph before these passes, and travels on under a name that says so.
        changed.metadata["float_certificate"] = proof
    return changed


def unrolled_model(graph: Graph, options: OnnxOptions) -> ModelProto:
    """The unrolled graph as a checked model.

    Raises:
        UsageError: the graph cannot have that many steps.
        UnsupportedError: its parameters do not fit into one file.
    """
    steps = chosen_steps(graph, options.steps)
    written = Unrolled(graph, steps, options.dtype).write()
    return written.model("unrolled", metadata(graph, "unrolled", steps, options, written))


def step_model(graph: Graph, options: OnnxOptions) -> ModelProto:
    """The step graph as a checked model.

    Raises:
        UnsupportedError: its parameters do not fit into one file.
    """
    steps = chosen_steps(graph, options.steps)
    written = write_step(graph, options.dtype)
    return written.model("step", metadata(graph, "step", steps, options, written))
