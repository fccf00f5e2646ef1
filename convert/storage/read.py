"""From a file to a graph: everything is checked, nothing is guessed."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import networkx as nx
from pydantic import ValidationError
from torch import Tensor

from spikeport.convert.ops import OPS
from spikeport.convert.storage.build import build_op
from spikeport.convert.storage.describe import dtype_name
from spikeport.convert.storage.digest import digest
from spikeport.convert.storage.schema import (
    CONVENTIONS,
    FORMAT,
    FORMAT_VERSION,
    SUFFIX,
    StoredGraph,
    StoredNode,
    tensor_name,
)
from spikeport.core.errors import FileError, SpikeportError
from spikeport.core.tensors import load_tensors

if TYPE_CHECKING:
    from spikeport.convert.graph import Graph

_ENTRIES = {"format", "version", "graph", "sha256"}
_LONGEST = 600  # characters of a reason; names in a damaged file may be of any length
_SHOWN = 3
"""Names told in one message; a damaged file may have thousands."""


def load_graph(path: str | os.PathLike[str]) -> Graph:
    """Read a graph from its file; see `Graph.load`."""
    where = str(path)
    tensors, entries = load_tensors(path, "graph", lambda found: _check_header(found, where))
    text = entries["graph"]
    if digest(text, tensors) != entries["sha256"]:
        raise _damaged(where, "its content is not what was written (SHA-256 differs)")
    try:
        stored = _parsed(text)
        _check_names(stored, tensors)
        return _built(stored, tensors)
    except _Damage as damage:
        raise _damaged(where, str(damage)) from damage
    except SpikeportError as error:
        raise FileError(error.why, where=f"{where}: {error.where}", fix=error.fix) from error


class _Damage(ValueError):
    """What does not fit, in a few words."""


def _damaged(where: str, why: str) -> FileError:
    why = why if len(why) <= _LONGEST else f"{why[:_LONGEST]}..."
    return FileError(f"this graph is damaged: {why}.", where=where, fix="Trace the model again.")


def _check_header(entries: dict[str, str], where: str) -> None:
    if entries.get("format") != FORMAT:
        raise FileError(
            "this safetensors file holds no graph.",
            where=where,
            fix=f"Give a {SUFFIX} file as written by `spikeport trace`.",
        )
    version = entries.get("version", "none")[:20]
    if version != str(FORMAT_VERSION):
        newer = version.isdecimal() and int(version) > FORMAT_VERSION
        raise FileError(
            f"this graph has format version {version!r}; this Spikeport reads version "
            f"{FORMAT_VERSION}.",
            where=where,
            fix="Use the newer Spikeport that wrote it."
            if newer
            else "Trace the model again with this version.",
        )
    if entries.keys() != _ENTRIES:
        raise _damaged(where, f"its header has {_names(_ENTRIES ^ entries.keys())} too many or few")


def _parsed(text: str) -> StoredGraph:
    try:
        # The model's own parser would keep the last of two entries with one name.
        json.loads(text, object_pairs_hook=_without_duplicates)
        stored = StoredGraph.model_validate_json(text)
    except ValidationError as error:
        found = "; ".join(_told(each) for each in error.errors()[:_SHOWN])
        raise _Damage(f"{error.error_count()} entries do not fit the format: {found}") from error
    except (RecursionError, json.JSONDecodeError) as error:
        raise _Damage(f"its header is not JSON ({error})") from error
    if dict(stored.conventions) != CONVENTIONS:
        differing = {
            key
            for key in CONVENTIONS.keys() | stored.conventions.keys()
            if CONVENTIONS.get(key) != stored.conventions.get(key)
        }
        raise _Damage(f"it follows other conventions: {_names(differing)}")
    return stored


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Damage(f"its header has {_names(_twice(key for key, _ in pairs))} twice")
    return result


def _twice(names: Iterable[str]) -> set[str]:
    return {name for name, count in Counter(names).items() if count > 1}


def _told(error: Any) -> str:
    return f"{'.'.join(str(part)[:60] for part in error['loc'])}: {error['msg']}"


def _names(names: Any) -> str:
    told = [repr(str(name)[:80]) for name in sorted(names, key=str)]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return ", ".join(told[:_SHOWN]) + more


def _check_names(stored: StoredGraph, tensors: dict[str, Tensor]) -> None:
    names = [node.name for node in stored.nodes]
    if len(set(names)) != len(names):
        raise _Damage(f"nodes have one name: {_names(_twice(names))}")
    if dangling := {name for node in stored.nodes for name in node.inputs} - set(names):
        readers = {node.name for node in stored.nodes if dangling & set(node.inputs)}
        raise _Damage(f"{_names(readers)} reads {_names(dangling)}, which does not exist")
    if missing := set(stored.outputs) - set(names):
        raise _Damage(f"its outputs {_names(missing)} are not among its nodes")
    needed = {tensor_name(node.name, key) for node in stored.nodes for key in node.tensors}
    if missing := needed - tensors.keys():
        raise _Damage(f"weights are missing: {_names(missing)}")
    if spare := tensors.keys() - needed:
        raise _Damage(f"weights are there that no node reads: {_names(spare)}")
    for node in stored.nodes:
        for key, said in node.tensors.items():
            value = tensors[tensor_name(node.name, key)]
            if (dtype_name(value), tuple(value.shape)) != (said.dtype, said.shape):
                raise _Damage(
                    f"{tensor_name(node.name, key)!r} holds {dtype_name(value)} "
                    f"{list(value.shape)}, not {said.dtype} {list(said.shape)}"
                )


def _built(stored: StoredGraph, tensors: dict[str, Tensor]) -> Graph:
    from spikeport.convert.graph import Graph

    for node in stored.nodes:
        if node.kind not in OPS:
            raise FileError(
                f"node {node.name[:80]!r} is of kind {node.kind[:80]!r}, which this Spikeport does "
                "not know.",
                where="graph",
                fix="Install the package that defines it, or use a newer Spikeport.",
            )
    _check_cycles(stored)
    graph = Graph(outputs=stored.outputs, metadata=dict(stored.metadata))
    for node in stored.nodes:
        _add(graph, node, tensors)
    graph.check_feedback()
    return graph


def _check_cycles(stored: StoredGraph) -> None:
    position = {node.name: index for index, node in enumerate(stored.nodes)}
    edges = [(source, node.name) for node in stored.nodes for source in node.inputs]
    backward = [(a, b) for a, b in edges if position[a] >= position[b]]
    if not backward:
        return
    net = nx.DiGraph(edges)
    for source, reader in backward:
        if nx.has_path(net, reader, source):
            loop = " -> ".join([*nx.shortest_path(net, reader, source)[:8], reader])
            raise _Damage(f"a cycle without delay: {loop}")
    source, reader = backward[0]
    raise _Damage(f"{reader!r} reads {source!r}, which does not come before it")


def _add(graph: Graph, stored: StoredNode, tensors: dict[str, Tensor]) -> None:
    try:
        op = build_op(stored, tensors)
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
        raise _Damage(f"node {stored.name!r}: {error}") from error
    derived = {
        "shape": (node.shape, stored.shape),
        "domain": (node.domain, stored.domain),
        "per_step": (node.per_step, stored.per_step),
    }
    for what, (now, then) in derived.items():
        if now != then:
            raise _Damage(f"node {stored.name!r} has {what} {now}, the file says {then}")
