"""Layers with weights."""

from __future__ import annotations

from collections.abc import Iterator

import nir
import numpy as np

from spikeport.convert.check import Finding
from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules.base import Rule, numbers, refused, rule


@rule(Conv)
class ConvRule(Rule):
    """`Conv1d` or `Conv2d`. A missing bias is written as zeros: NIR has none without."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        op = node.op
        if not isinstance(op, Conv):
            return
        if op.groups > 1:
            yield refused(
                node,
                f"it is a convolution of {op.groups} groups, whose input nir 1.0.8 takes to have "
                f"{op.in_channels // op.groups} channels instead of {op.in_channels}: no reader "
                "loads it.",
                "Use a convolution without groups.",
            )
        if len(set(op.kernel)) > 1:
            yield refused(
                node,
                f"its kernel {list(op.kernel)} is not square; nir 1.0.8 derives the size of its "
                "output from the first side alone, so no reader loads it.",
                "Use a square kernel, with zeros around it if need be.",
            )

    def write(self, network: Network, node: Node) -> Sources:
        op = node.op
        if not isinstance(op, Conv):
            raise TypeError(f"not a convolution: {op.kind}")
        weight = numbers(op.weight)
        bias = np.zeros(len(weight), weight.dtype) if op.bias is None else numbers(op.bias)
        space = network.plan.input_of(node).shape[1:]
        if len(op.kernel) == 1:
            conv = nir.Conv1d(
                space[0], weight, op.stride[0], op.padding[0], op.dilation[0], op.groups, bias
            )
        else:
            conv = nir.Conv2d(space, weight, op.stride, op.padding, op.dilation, op.groups, bias)
        return network.add(node.name, conv, network.read(node))


@rule(Linear)
class LinearRule(Rule):
    """`Affine` or `Linear`, over a vector."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        if len(node.shape) != 1:
            yield refused(
                node,
                f"it is a linear layer over the last axis of {list(node.shape)}; NIR's take one "
                "vector.",
                "Use a convolution with kernel 1 over tokens [C, N], or flatten before it.",
            )

    def write(self, network: Network, node: Node) -> Sources:
        op = node.op
        if not isinstance(op, Linear):
            raise TypeError(f"not a linear layer: {op.kind}")
        weight = numbers(op.weight)
        written = nir.Linear(weight) if op.bias is None else nir.Affine(weight, numbers(op.bias))
        return network.add(node.name, written, network.read(node))
