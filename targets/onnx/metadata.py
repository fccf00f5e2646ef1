"""What travels in an ONNX file: strings, so that any reader finds out how to call it.

| key | value |
|---|---|
| `spikeport.format` | version of this table |
| `spikeport.version` | of Spikeport |
| `spikeport.kind` | `step` or `unrolled` |
| `spikeport.steps` | T: of the unrolled graph, and what the network was made for |
| `spikeport.layout` | axes of the input: `[T, B, 2, 32, 32]` |
| `spikeport.preprocessing` | what the input holds |
| `spikeport.dtype` | `float32` or `float64` |
| `spikeport.graph_sha256` | fingerprint of the graph that was written |
| `spikeport.neurons` | JSON: `{node: {kind, module, fires, reset, ...}}`, conventions |
| `spikeport.states` | JSON: `[{name, next, shape, initial, dtype, module}]`, of the step graph |
| `spikeport.values` | JSON: `{node: value}` where a value is not named after its node |
| `spikeport.class_names` | JSON: names in the order of the output, if they are known |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from typing import Any, cast

from onnx import ModelProto
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import EulerNeuron, Neuron
from spikeport.convert.storage import fingerprint
from spikeport.targets.onnx.moments import State
from spikeport.targets.onnx.options import OnnxOptions
from spikeport.targets.onnx.written import Written

PREFIX = "spikeport."
FORMAT = "1"

_HOLDS = {
    Domain.SPIKE: "0 or 1 per place and step.",
    Domain.GRADED: "whole numbers, as counts of events per place and step.",
    Domain.SCALED: "counts times one constant.",
    Domain.REAL: "real numbers, preprocessed as in training.",
}


def metadata(
    graph: Graph, kind: str, steps: int, options: OnnxOptions, written: Written
) -> dict[str, str]:
    """The metadata of one file."""
    entry = graph.input
    axes = ["T", "B"] if entry.per_step and kind == "unrolled" else ["B"]
    found: dict[str, Any] = {
        "format": FORMAT,
        "version": version("spikeport"),
        "kind": kind,
        "steps": str(steps),
        "layout": f"[{', '.join([*axes, *map(str, entry.shape)])}]",
        "preprocessing": options.preprocessing or _HOLDS[entry.domain],
        "dtype": options.dtype,
        "graph_sha256": fingerprint(graph),
        "neurons": {node.name: _convention(node) for node in graph if isinstance(node.op, Neuron)},
        "values": dict(written.values),
    }
    if kind == "step":
        found["states"] = [_state(state, options.dtype) for state in written.states]
    if options.class_names:
        found["class_names"] = list(options.class_names)
    return {
        f"{PREFIX}{key}": value if isinstance(value, str) else json.dumps(value, allow_nan=False)
        for key, value in found.items()
    }


def read_metadata(model: ModelProto) -> dict[str, str]:
    """The metadata of a model, without the prefix; empty if it is none of Spikeport's."""
    return {
        entry.key.removeprefix(PREFIX): entry.value
        for entry in model.metadata_props
        if entry.key.startswith(PREFIX)
    }


def _state(state: State, dtype: str) -> dict[str, Any]:
    counter = state.shape is None
    return {
        "name": state.name,
        "next": state.next,
        "shape": None if state.shape is None else list(state.shape),
        "initial": int(state.initial) if counter else state.initial,
        "dtype": "int64" if counter else dtype,
        "module": state.path,
    }


def _convention(node: Node) -> Mapping[str, Any]:
    """The fields of a neuron, and the order in which it charges, fires and is reset."""
    op = cast(Neuron, node.op)
    # Neurons of an equation are set to a value each, which stands among their fields.
    equation = isinstance(op, EulerNeuron)
    reset = 0.0 if equation else op.reset()
    values = {field.name: getattr(op, field.name) for field in fields(op)}
    return {
        "kind": op.kind,
        "module": node.path,
        "equation": " ".join((type(op).__doc__ or "").split()),
        "order": "charge, fire, reset",
        "fires": f"membrane {'>' if getattr(op, 'strict', False) else '>='} threshold",
        "reset": "subtracts the threshold" if reset is None else "sets the membrane to v_reset",
        "initial": "as in the equation" if equation else reset or 0.0,
        **{key: _plain(value) for key, value in values.items()},
    }


def _plain(value: Any) -> Any:
    return value.detach().cpu().double().tolist() if isinstance(value, Tensor) else value
