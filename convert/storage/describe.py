"""A graph as what its file holds: a header and named tensors."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from torch import Tensor

from spikeport.convert.storage.schema import (
    CONVENTIONS,
    StoredGraph,
    StoredNode,
    StoredTensor,
    tensor_name,
)

if TYPE_CHECKING:
    from spikeport.convert.graph import Graph, Node


def described(graph: Graph) -> tuple[StoredGraph, dict[str, Tensor]]:
    """A graph as header and named tensors."""
    tensors: dict[str, Tensor] = {}
    nodes = []
    for node in graph:
        parameters = node.op.tensors()
        tensors.update({tensor_name(node.name, key): value for key, value in parameters.items()})
        nodes.append(_stored(node, parameters))
    header = StoredGraph(
        conventions=CONVENTIONS,
        nodes=tuple(nodes),
        outputs=graph.outputs,
        metadata=graph.metadata,
    )
    return header, tensors


def _stored(node: Node, parameters: dict[str, Tensor]) -> StoredNode:
    attributes = {
        field.name: getattr(node.op, field.name)
        for field in fields(node.op)
        if field.name not in parameters
    }
    return StoredNode(
        name=node.name,
        kind=node.op.kind,
        inputs=node.inputs,
        path=node.path,
        attributes=attributes,
        tensors={
            key: StoredTensor(dtype=dtype_name(value), shape=tuple(value.shape))
            for key, value in parameters.items()
        },
        shape=node.shape,
        domain=node.domain,
        per_step=node.per_step,
    )


def dtype_name(value: Tensor) -> str:
    """`float64`, `int32`, ..."""
    return str(value.dtype).removeprefix("torch.")
