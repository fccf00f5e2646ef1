"""Nodes of Spikeport's own in a NIR file, for ops that NIR has no primitive for.

Their type is `spikeport.KIND`. `nir.read`, and so every reader built on it, fails on a type that
it does not know, which is how such a file says that it is not plain NIR.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any

import nir
import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import OPS, Op
from spikeport.convert.storage.build import build_op
from spikeport.convert.storage.describe import dtype_name
from spikeport.convert.storage.schema import StoredNode, StoredTensor, tensor_name
from spikeport.core.errors import FileError
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.rules.base import numbers

PREFIX = "spikeport."


class Content(BaseModel):
    """What such a node holds, JSON in one string; tensors are arrays beside it.

    Attributes:
        inputs: by port the NIR nodes that add up to what the op reads: edges have no ports.
        attributes: the fields of the op that are no tensors.
        shapes: of the tensors, since a file has no arrays without axis.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    inputs: tuple[tuple[str, ...], ...]
    attributes: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]


@dataclass(eq=False)
class Extension(nir.NIRNode):  # type: ignore[misc]  # nir has no type hints
    """An op as a node that `nir.write` takes."""

    kind: str
    content: Content
    tensors: dict[str, NDArray[Any]]

    def __post_init__(self) -> None:
        self.input_type, self.output_type = {"input": None}, {"output": None}

    def to_dict(self) -> dict[str, Any]:
        return {
            "type": f"{PREFIX}{self.kind}",
            "content": self.content.model_dump_json(),
            "tensors": self.tensors,
        }


def write_extension(network: Network, node: Node) -> Sources:
    """Write a node as an extension."""
    tensors = node.op.tensors()
    inputs = tuple(network.sources[name] for name in node.inputs)
    content = Content(
        inputs=inputs,
        attributes={
            field.name: getattr(node.op, field.name)
            for field in fields(node.op)
            if field.name not in tensors
        },
        shapes={name: tuple(value.shape) for name, value in tensors.items()},
    )
    arrays = {name: np.atleast_1d(numbers(value)) for name, value in tensors.items()}
    # An op may read one node at two ports, NIR knows one edge between two nodes.
    sources = tuple(dict.fromkeys(source for port in inputs for source in port))
    return network.add(node.name, Extension(node.op.kind, content, arrays), sources)


def read_extension(name: str, kind: str, given: dict[str, Any]) -> tuple[Op, Content]:
    """The op of a node of type `spikeport.KIND`, and what it reads.

    Raises:
        FileError: the op is unknown, or its content does not fit it.
    """
    if kind not in OPS:
        raise FileError(
            f"this node is of kind {kind[:80]!r}, which this Spikeport does not know.",
            where=name,
            fix="Install the package that defines it, or use the Spikeport that wrote the file.",
        )
    try:
        content = Content.model_validate_json(str(given.get("content")))
        tensors = _tensors(given.get("tensors", {}), content)
        return build_op(_stored(name, kind, content, tensors), _named(name, tensors)), content
    except (ValidationError, ValueError, TypeError, LookupError, RuntimeError) as error:
        told = str(error).splitlines()[0][:200]
        raise FileError(
            f"this node of kind {kind!r} is damaged: {told}.",
            where=name,
            fix="Lower the network again.",
        ) from error


def _tensors(given: Any, content: Content) -> dict[str, Tensor]:
    if not isinstance(given, dict) or given.keys() != content.shapes.keys():
        raise ValueError("its arrays are not those that it names")
    return {
        name: torch.from_numpy(np.array(value)).reshape(content.shapes[name])
        for name, value in given.items()
    }


def _named(node: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {tensor_name(node, name): value for name, value in tensors.items()}


def _stored(name: str, kind: str, content: Content, tensors: dict[str, Tensor]) -> StoredNode:
    """In the form that graph files hold ops in; shape and domain are derived, not read."""
    return StoredNode.model_construct(
        name=name,
        kind=kind,
        attributes=json.loads(json.dumps(content.attributes)),
        tensors={
            key: StoredTensor(dtype=dtype_name(value), shape=tuple(value.shape))
            for key, value in tensors.items()
        },
    )
