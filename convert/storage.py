"""Graphs in files: one safetensors file, tensors inside, the graph as JSON in its metadata.

Nothing read from a file runs code: the header is JSON, parameters are raw numbers, and only ops
that are registered are built.
"""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import OPS, Op
from spikeport.core.errors import FileError, SpikeportError
from spikeport.core.tensors import load_tensors, save_tensors

FORMAT = "spikeport-graph"
FORMAT_VERSION = 1
_ANY_TYPE = ConfigDict(arbitrary_types_allowed=True)
_HEADER_LIMIT = 100_000_000  # bytes; what a safetensors header may hold


class _StoredNode(BaseModel):
    # An infinite threshold is how a neuron is kept from firing; JSON's null would be another one.
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    name: str
    kind: str
    inputs: tuple[str, ...]
    path: str
    attributes: dict[str, Any]
    tensors: tuple[str, ...]
    shape: tuple[int, ...]
    domain: Domain
    per_step: bool


class _StoredGraph(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="constants")

    nodes: tuple[_StoredNode, ...]
    outputs: tuple[str, ...]
    metadata: dict[str, Any]


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph to one `.spg` file, atomically.

    Raises:
        FileError: the file cannot be written, or the graph is too large for its header.
    """
    tensors: dict[str, Tensor] = {}
    nodes = []
    for node in graph:
        parameters = node.op.tensors()
        tensors.update({f"{node.name}/{key}": value for key, value in parameters.items()})
        nodes.append(
            _StoredNode(
                name=node.name,
                kind=node.op.kind,
                inputs=node.inputs,
                path=node.path,
                attributes={
                    field.name: getattr(node.op, field.name)
                    for field in fields(node.op)
                    if field.name not in parameters
                },
                tensors=tuple(parameters),
                shape=node.shape,
                domain=node.domain,
                per_step=node.per_step,
            )
        )
    header = _StoredGraph(nodes=tuple(nodes), outputs=graph.outputs, metadata=graph.metadata)
    text = header.model_dump_json()
    if len(text) > _HEADER_LIMIT:
        raise FileError(f"the graph needs a header of {len(text)} bytes.", where=str(path))
    save_tensors(path, tensors, {"format": FORMAT, "version": str(FORMAT_VERSION), "graph": text})


def load_graph(path: str | os.PathLike[str]) -> Graph:
    """Read a graph from a `.spg` file.

    Shapes, domains and timing are derived anew and compared with the stored ones.

    Raises:
        FileError: missing, unreadable, truncated, foreign, of another format version, holding an
            unknown op, or inconsistent in itself.
    """
    where = str(path)
    tensors, metadata = load_tensors(path, "graph")
    if metadata.get("format") != FORMAT:
        raise FileError(
            "this safetensors file holds no graph.",
            where=where,
            fix="Give a .spg file as written by `spikeport trace`.",
        )
    if metadata.get("version") != str(FORMAT_VERSION):
        raise FileError(
            f"this graph has format version {metadata.get('version')}; this Spikeport reads "
            f"version {FORMAT_VERSION}.",
            where=where,
            fix="Trace the model again with this version.",
        )
    try:
        stored = _StoredGraph.model_validate_json(metadata.get("graph", ""))
    except ValidationError as error:
        raise _damaged(where, f"{error.error_count()} entries do not fit the format") from error
    graph = Graph(outputs=stored.outputs, metadata=stored.metadata)
    for node in stored.nodes:
        _add(graph, node, tensors, where)
    missing = [name for name in stored.outputs if name not in graph]
    if missing or not stored.outputs:
        raise _damaged(where, f"its outputs {list(missing)} are not among its nodes")
    return graph


def _add(graph: Graph, stored: _StoredNode, tensors: dict[str, Tensor], where: str) -> None:
    if stored.kind not in OPS:
        raise FileError(
            f"node {stored.name!r} is of kind {stored.kind!r}, which this Spikeport does not know.",
            where=where,
            fix="Import the package that defines it first, or use a newer Spikeport.",
        )
    try:
        op = _build(OPS[stored.kind], stored, tensors)
        for name in stored.inputs:
            if name not in graph:
                raise ValueError(f"reads {name!r}, which does not come before it")
        node = graph.add(stored.name, op, stored.inputs, path=stored.path)
    except (
        ValueError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        RuntimeError,
        SpikeportError,
    ) as error:
        raise _damaged(where, f"node {stored.name!r}: {error}") from error
    if (node.shape, node.domain, node.per_step) != (stored.shape, stored.domain, stored.per_step):
        raise _damaged(where, f"node {stored.name!r} does not have the stored shape or domain")


def _build(cls: type[Op], stored: _StoredNode, tensors: dict[str, Tensor]) -> Op:
    known = {field.name for field in fields(cls)}
    given = set(stored.attributes) | set(stored.tensors)
    if known != given:
        raise ValueError(f"has fields {sorted(given)}, {stored.kind} has {sorted(known)}")
    hints = get_type_hints(cls)
    values = {
        name: TypeAdapter(hints[name], config=_ANY_TYPE).validate_python(value)
        for name, value in stored.attributes.items()
        if value is not None or type(None) in get_args(hints[name])
    }
    if values.keys() != stored.attributes.keys():
        raise ValueError("a field that must have a value has none")
    values.update({name: tensors[f"{stored.name}/{name}"] for name in stored.tensors})
    return cls(**values)


def _damaged(where: str, why: str) -> FileError:
    return FileError(f"this graph is damaged: {why}.", where=where, fix="Trace the model again.")
