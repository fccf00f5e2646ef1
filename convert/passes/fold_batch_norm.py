"""Fold batch norm into the convolution or linear layer before it."""

from __future__ import annotations

from dataclasses import replace

import torch

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import BatchNorm, Conv, Linear, Op


def fold_batch_norm(graph: Graph) -> Graph:
    """w' = gain w, b' = gain b + offset, in float64, so that a proof in float64 still holds.

    A batch norm stays where its input is also read by others, or does not come from a convolution
    or a linear layer whose outputs are its channels.
    """
    replacements: dict[str, Op] = {}
    bypass: dict[str, str] = {}
    for node in graph:
        if isinstance(node.op, BatchNorm):
            layer = graph[node.inputs[0]]
            if _foldable(graph, layer):
                replacements[layer.name] = _folded(layer.op, node.op)
                bypass[node.name] = layer.name
    return rebuilt(graph, replacements, bypass)


def _foldable(graph: Graph, layer: Node) -> bool:
    alone = len(graph.consumers(layer.name)) == 1 and layer.name not in graph.outputs
    channels_first = isinstance(layer.op, Conv) or (
        isinstance(layer.op, Linear) and len(layer.shape) == 1
    )
    return alone and channels_first


def _folded(layer: Op, norm: BatchNorm) -> Op:
    if not isinstance(layer, Conv | Linear):
        raise TypeError(f"cannot fold into {layer.kind}")
    gain, offset = norm.affine()
    weight = layer.weight.double() * gain.reshape(-1, *[1] * (layer.weight.ndim - 1))
    bias = torch.zeros_like(offset) if layer.bias is None else layer.bias.double() * gain
    return replace(layer, weight=weight, bias=bias + offset)
