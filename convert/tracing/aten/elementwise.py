"""Element-wise sums and products."""

from __future__ import annotations

import torch
from torch import Tensor, fx

from spikeport.convert.ops import Add, AddConstant, Multiply, Op, Scale
from spikeport.convert.tracing.axes import Axes, Axis, AxisError
from spikeport.convert.tracing.translator import Translator, Value, handles


def _aligned(t: Translator, values: tuple[Value, Value], node: fx.Node) -> list[Value]:
    """Both values with the same number of tensor axes, and so of feature axes."""
    ndim = max(len(value.axes) for value in values)
    return [
        t.view(value, ((),) * (ndim - len(value.axes)) + value.axes, node)
        if len(value.axes) < ndim
        else value
        for value in values
    ]


def _merge(left: Axis, right: Axis) -> Axis:
    """The axis of a broadcast result.

    Raises:
        AxisError: one axis holds time or batch where the other holds something else.
    """
    if not left or not right:
        return left or right
    if [a.name for a in left if a.name] != [a.name for a in right if a.name]:
        raise AxisError("it mixes time, batch and feature axes of its two inputs")
    return left


def _pairwise(t: Translator, node: fx.Node, op: Op) -> Value:
    a, b = _aligned(t, (t.value(node.args[0]), t.value(node.args[1])), node)
    axes: Axes = tuple(_merge(x, y) for x, y in zip(a.axes, b.axes, strict=True))
    ranks = {len(t.graph[value.node].shape) for value in (a, b)}
    if len(ranks) != 1:
        raise AxisError("its two inputs differ in their number of feature axes")
    return t.emit(op, [a, b], axes, node)


def _constant_sum(t: Translator, node: fx.Node, x: Value, constant: Tensor) -> Value:
    outer = len(x.axes) - len(t.graph[x.node].shape)
    shape = (1,) * (len(x.axes) - constant.ndim) + tuple(constant.shape)
    if len(shape) != len(x.axes) or any(size != 1 for size in shape[:outer]):
        raise AxisError("it adds a parameter that differs between time steps or samples")
    return t.emit(AddConstant(constant.reshape(shape[outer:])), [x], x.axes, node)


@handles("aten.add.Tensor", "aten.add_.Tensor")
def add(t: Translator, node: fx.Node) -> Value:
    if node.kwargs.get("alpha", 1) != 1:
        raise AxisError("alpha of add is not carried")
    for value, other in (node.args[:2], node.args[1::-1]):
        if isinstance(other, int | float):
            # A Python number has double precision whatever the tensor has.
            exact = torch.tensor([other], dtype=torch.float64)
            return _constant_sum(t, node, t.value(value), exact)
        if t.is_constant(other):
            constant = t.constant(other)
            if constant is not None:
                return _constant_sum(t, node, t.value(value), constant)
    return _pairwise(t, node, Add())


@handles("aten.mul.Tensor", "aten.mul_.Tensor")
def multiply(t: Translator, node: fx.Node) -> Value:
    left, right = node.args[:2]
    for value, factor in ((left, right), (right, left)):
        if isinstance(factor, int | float):
            return _scale(t, node, t.value(value), float(factor))
        if t.is_constant(factor):
            constant = t.constant(factor)
            if constant is None or constant.numel() != 1:
                raise AxisError("it multiplies with a parameter that differs between elements")
            return _scale(t, node, t.value(value), float(constant))
    return _pairwise(t, node, Multiply())


@handles("aten.div.Tensor")
def divide(t: Translator, node: fx.Node) -> Value:
    divisor = node.args[1]
    if not isinstance(divisor, int | float):
        raise AxisError("it divides by a tensor")
    x = t.value(node.args[0])
    return t.emit(Scale(divisor=float(divisor)), [x], x.axes, node)


def _scale(t: Translator, node: fx.Node, x: Value, factor: float) -> Value:
    return t.emit(Scale(factor), [x], x.axes, node)
