"""Models from a folder, trusted only as far as they prove themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
from onnx import ModelProto, TensorProto

from spikeport.convert.graph import Graph
from spikeport.convert.storage import fingerprint
from spikeport.core.files import readable_file
from spikeport.targets.onnx.metadata import FORMAT, read_metadata
from spikeport.targets.stamped import damaged


def read_folder(folder: Path, graph: Graph) -> dict[str, ModelProto]:
    """`unrolled.onnx` and, if it is there, `step.onnx`, by the stem of their name.

    Raises:
        FileError: a file is missing, damaged, of another version, or of another graph.
    """
    names = ["unrolled", *(["step"] if (folder / "step.onnx").exists() else [])]
    return {name: _read(folder / f"{name}.onnx", name, graph) for name in names}


def _read(path: Path, kind: str, graph: Graph) -> ModelProto:
    content = readable_file(path, "ONNX model").read_bytes()
    model = ModelProto()
    try:
        model.ParseFromString(content)
        if why := _foreign(model, kind, graph):
            raise ValueError(why)
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise damaged(path, str(error).strip() or type(error).__name__) from error
    return model


def _tensors(model: ModelProto) -> Iterator[TensorProto]:
    """All that a model holds, wherever it stands: in nodes, graphs within graphs, functions."""
    waiting: list[Any] = [model]
    while waiting:
        each = waiting.pop()
        if isinstance(each, TensorProto):
            yield each
            continue
        for field, value in each.ListFields():
            if field.message_type is not None:
                waiting += [value] if hasattr(value, "ListFields") else value


def _foreign(model: ModelProto, kind: str, graph: Graph) -> str:
    """Why a model is none that was written for this graph, "" if it is one."""
    told = read_metadata(model)
    if any(each.data_location == TensorProto.EXTERNAL for each in _tensors(model)):
        return "it reads parameters from other files"
    if told.get("format") != FORMAT:
        return f"format version {told.get('format')} instead of {FORMAT}"
    if told.get("kind") != kind:
        return f"it holds a {told.get('kind')} graph"
    if told.get("graph_sha256") != fingerprint(graph):
        return "it does not belong to the graph beside it"
    return ""
