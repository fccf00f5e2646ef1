"""Compute once what parallel branches compute alike."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import Delay, Input, Neuron, Op

MERGED = "merged_neurons"
"""Metadata: for each neuron that was merged into another, the module path of that other one."""


def merge_identical(graph: Graph) -> Graph:
    """Nodes with the same op, equal parameters and the same inputs become the first of them.

    So do two identical neurons that read one membrane current, as at the entry of Embed_Orig's two
    branches: from rest on they emit the same spikes.
    """
    first: dict[tuple[object, ...], list[Node]] = {}
    bypass: dict[str, str] = {}
    neurons: dict[str, str] = {}
    for node in graph:
        if isinstance(node.op, Input | Delay):
            continue
        inputs = tuple(bypass.get(name, name) for name in node.inputs)
        alike = first.setdefault((node.op.kind, inputs), [])
        twin = next((other for other in alike if same_op(other.op, node.op)), None)
        if twin is None:
            alike.append(node)
            continue
        bypass[node.name] = twin.name
        if isinstance(node.op, Neuron):
            neurons[node.path or node.name] = twin.path or twin.name
    if not bypass:
        return graph
    merged = rebuilt(graph, bypass=bypass)
    merged.metadata[MERGED] = {**graph.metadata.get(MERGED, {}), **neurons}
    return merged


def same_op(left: Op, right: Op) -> bool:
    """Whether two ops compute the same: same class, equal fields, tensors bit by bit."""
    return type(left) is type(right) and all(
        _same(getattr(left, field.name), getattr(right, field.name)) for field in fields(left)
    )


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return left.dtype == right.dtype and torch.equal(left, right)
    return type(left) is type(right) and bool(left == right)
