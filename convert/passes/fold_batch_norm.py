"""Fold batch norm into the convolution or linear layer before it."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import BatchNorm, Conv, Linear, Op, Permute, RepeatTime, Reshape, Shape


def fold_batch_norm(graph: Graph) -> Graph:
    """w' = gain w, b' = gain b + offset, in float64, so that a proof in float64 still holds.

    Views and repeats over time between the layer and its batch norm stay where they are, if they
    keep the channels together. A batch norm stays where its input is also read by others, or does
    not come from a layer whose outputs are its channels.
    """
    replacements: dict[str, Op] = {}
    bypass: dict[str, str] = {}
    for node in graph:
        if isinstance(node.op, BatchNorm):
            layer = _layer_before(graph, node)
            if layer is not None:
                # Two batch norms in a row both end up in the layer.
                replacements[layer.name] = _folded(replacements.get(layer.name, layer.op), node.op)
                bypass[node.name] = node.inputs[0]
    return rebuilt(graph, replacements, bypass) if bypass else graph


def _layer_before(graph: Graph, norm: Node) -> Node | None:
    """The layer whose output channels are the batch norm's, if nothing else reads it."""
    node, axis = graph[norm.inputs[0]], 0
    while len(graph.consumers(node.name)) == 1 and node.name not in graph.outputs:
        if isinstance(node.op, Conv):
            return node if axis == 0 else None
        if isinstance(node.op, Linear):
            return node if axis == len(node.shape) - 1 else None
        moved = _axis_before(graph, node, axis)
        if moved is None:
            return None
        node, axis = graph[node.inputs[0]], moved
    return None


def _axis_before(graph: Graph, node: Node, axis: int) -> int | None:
    """Where the channels are in what a view reads; None if it is no view, or tears them apart."""
    if isinstance(node.op, RepeatTime):
        return axis
    if isinstance(node.op, Permute):
        return node.op.order[axis]
    if isinstance(node.op, Reshape):
        return _same_axis(node.shape, axis, graph[node.inputs[0]].shape)
    # A batch norm that is folded itself lets the next one through.
    return axis if isinstance(node.op, BatchNorm) and _layer_before(graph, node) else None


def _same_axis(shape: Shape, axis: int, other: Shape) -> int | None:
    """The axis of `other` with the same elements as an axis of `shape`, in a reshape."""
    before = math.prod(shape[:axis])
    for index, size in enumerate(other):
        if size == shape[axis] and math.prod(other[:index]) == before:
            return index
    return None


def _folded(layer: Op, norm: BatchNorm) -> Op:
    if not isinstance(layer, Conv | Linear):
        raise TypeError(f"cannot fold into {layer.kind}")
    gain, offset = norm.affine()
    weight = layer.weight.double() * gain.reshape(-1, *[1] * (layer.weight.ndim - 1))
    bias = torch.zeros_like(offset) if layer.bias is None else layer.bias.double() * gain
    return replace(layer, weight=weight, bias=bias + offset)
