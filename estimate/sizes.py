"""Connections of layers, by geometry alone."""

from __future__ import annotations

import math

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, MatMul
from spikeport.estimate.tally.facts import elements
from spikeport.estimate.tally.geometry import axis_incidence


def connections(graph: Graph, node: Node) -> int:
    """(input, output) pairs of a layer or product per execution; taps on padding left out."""
    op, source = node.op, graph[node.inputs[0]]
    if isinstance(op, Linear):
        return elements(node) * op.in_features
    if isinstance(op, MatMul):
        return elements(node) * source.shape[-1]
    if not isinstance(op, Conv):
        raise TypeError(f"{op.kind} has no connections")
    axes = zip(source.shape[1:], op.kernel, op.stride, op.padding, op.dilation, strict=True)
    taps = math.prod(int(axis_incidence(*axis).sum().item()) for axis in axes)
    return taps * op.in_channels * (op.out_channels // op.groups)
