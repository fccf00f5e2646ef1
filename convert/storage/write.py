"""From a graph to its file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from spikeport.convert.storage.describe import described
from spikeport.convert.storage.digest import digest
from spikeport.convert.storage.schema import FORMAT, FORMAT_VERSION, HEADER_LIMIT, SUFFIX
from spikeport.core.errors import FileError, UsageError
from spikeport.core.tensors import save_tensors

if TYPE_CHECKING:
    from spikeport.convert.graph import Graph


def graph_path(path: str | os.PathLike[str]) -> Path:
    """The path, if it has the suffix by which commands know a graph.

    Raises:
        UsageError: it has another suffix, or none.
    """
    target = Path(path)
    if target.suffix != SUFFIX:
        raise UsageError(
            f"a graph file is called *{SUFFIX}; under this name no command would take it.",
            where=str(path),
            fix=f"Call it {target.with_suffix(SUFFIX).name!r}."
            if target.name
            else f"Give a name, such as net{SUFFIX}.",
        )
    return target


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph to one file, atomically; see `Graph.save`."""
    target = graph_path(path)
    try:
        header, tensors = described(graph)
        text = header.model_dump_json()
    except (ValidationError, PydanticSerializationError) as error:
        raise FileError(
            f"this graph cannot be stored: {error}.",
            where=str(path),
            fix="Attributes of ops and graph.metadata must be JSON values.",
        ) from error
    if len(text) > HEADER_LIMIT:
        raise FileError(
            f"the graph needs a header of {len(text)} bytes, a file holds {HEADER_LIMIT}.",
            where=str(path),
            fix="Remove large values from graph.metadata.",
        )
    metadata = {
        "format": FORMAT,
        "version": str(FORMAT_VERSION),
        "graph": text,
        "sha256": digest(text, tensors),
    }
    save_tensors(target, tensors, metadata)
