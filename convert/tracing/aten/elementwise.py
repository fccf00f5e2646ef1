"""Element-wise sums, differences, products and quotients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx

from spikeport.convert.ops import (
    Add,
    AddConstant,
    AddPerStep,
    Complement,
    MeanTime,
    Multiply,
    MultiplyConstant,
    Op,
    Scale,
    Subtract,
    SumTime,
)
from spikeport.convert.tracing.axes import Axes, Axis, AxisError
from spikeport.convert.tracing.translator import Translator, Value, handles


def aligned(t: Translator, values: Sequence[Value], node: fx.Node) -> list[Value]:
    """The values with the same number of tensor axes, and so of feature axes."""
    ndim = max(len(value.axes) for value in values)
    return [
        t.view(value, ((),) * (ndim - len(value.axes)) + value.axes, node)
        if len(value.axes) < ndim
        else value
        for value in values
    ]


def merged(left: Axis, right: Axis) -> Axis:
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
    a, b = aligned(t, (t.value(node.args[0]), t.value(node.args[1])), node)
    axes: Axes = tuple(merged(x, y) for x, y in zip(a.axes, b.axes, strict=True))
    ranks = {len(t.graph[value.node].shape) for value in (a, b)}
    if len(ranks) != 1:
        raise AxisError("its two inputs differ in their number of feature axes")
    return t.emit(op, [a, b], axes, node)


def _known(t: Translator, argument: Any) -> Tensor | None:
    """A number or parameter among the arguments; a number has double precision."""
    if isinstance(argument, int | float):
        return torch.tensor([argument], dtype=torch.float64)
    return t.constant(argument) if t.is_constant(argument) else None


def split_constant(t: Translator, node: fx.Node) -> tuple[Value, Tensor, bool] | None:
    """The value and the constant of two arguments, and whether the constant comes first."""
    for index in (1, 0):
        constant = _known(t, node.args[index])
        if constant is not None:
            return t.value(node.args[1 - index]), constant, index == 0
    return None


def over_features(
    t: Translator, x: Value, constant: Tensor, node: fx.Node
) -> tuple[Value, Tensor, bool]:
    """The value, the constant over the value's feature axes, and whether it has a time axis too."""
    ndim = max(len(x.axes), constant.ndim)
    x = t.view(x, ((),) * (ndim - len(x.axes)) + x.axes, node)
    shape = (1,) * (ndim - constant.ndim) + tuple(constant.shape)
    kept, per_step = [], False
    for axis, size in zip(x.axes, shape, strict=True):
        if t.roles.feature_axes((axis,)):
            if axis and any(not t.roles.is_feature(atom) for atom in axis) and size != 1:
                raise AxisError("its parameter runs along time or batch merged with features")
            kept.append(size)
        elif size != 1:
            if [atom.name for atom in axis] != [t.roles.time] or kept:
                raise AxisError("its parameter differs between samples")
            per_step = True
    return x, constant.reshape((*((shape[_time_of(t, x)],) if per_step else ()), *kept)), per_step


def _time_of(t: Translator, x: Value) -> int:
    return [[atom.name for atom in axis] for axis in x.axes].index([str(t.roles.time)])


def _plus(t: Translator, node: fx.Node, x: Value, constant: Tensor) -> Value:
    x, constant, per_step = over_features(t, x, constant, node)
    return t.emit(AddPerStep(constant) if per_step else AddConstant(constant), [x], x.axes, node)


def _times(t: Translator, node: fx.Node, x: Value, constant: Tensor) -> Value:
    if constant.numel() == 1:
        return t.emit(Scale(float(constant)), [x], x.axes, node)
    x, constant, per_step = over_features(t, x, constant, node)
    if per_step:
        raise AxisError("it multiplies with a parameter that differs between time steps")
    return t.emit(MultiplyConstant(constant), [x], x.axes, node)


def _require_plain(node: fx.Node) -> None:
    if node.kwargs.get("alpha", 1) != 1 or (len(node.args) > 2 and node.args[2] != 1):
        raise AxisError("alpha of sums is not carried; write the product out")


@handles("aten.add.Tensor", "aten.add_.Tensor")
def add(t: Translator, node: fx.Node) -> Value:
    _require_plain(node)
    found = split_constant(t, node)
    if found is None:
        return _pairwise(t, node, Add())
    return _plus(t, node, found[0], found[1])


@handles("aten.sub.Tensor", "aten.sub_.Tensor")
def subtract(t: Translator, node: fx.Node) -> Value:
    _require_plain(node)
    found = split_constant(t, node)
    if found is None:
        return _pairwise(t, node, Subtract())
    x, constant, first = found
    return _minus_from(t, node, x, constant) if first else _plus(t, node, x, -constant)


@handles("aten.rsub.Scalar", "aten.rsub.Tensor")
def subtract_from(t: Translator, node: fx.Node) -> Value:
    _require_plain(node)
    constant = _known(t, node.args[1])
    if constant is None:
        raise AxisError("it subtracts from a tensor that is no constant")
    return _minus_from(t, node, t.value(node.args[0]), constant)


def _minus_from(t: Translator, node: fx.Node, x: Value, constant: Tensor) -> Value:
    if constant.numel() == 1 and float(constant) == 1.0:
        return t.emit(Complement(), [x], x.axes, node)
    return _plus(t, node, t.emit(Scale(-1.0), [x], x.axes, node), constant)


@handles("aten.neg.default")
def negate(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    return t.emit(Scale(-1.0), [x], x.axes, node)


@handles("aten.mul.Tensor", "aten.mul_.Tensor")
def multiply(t: Translator, node: fx.Node) -> Value:
    found = split_constant(t, node)
    return _pairwise(t, node, Multiply()) if found is None else _times(t, node, *found[:2])


@handles("aten.div.Tensor", "aten.div_.Tensor")
def divide(t: Translator, node: fx.Node) -> Value:
    if t.is_number_of_steps(node.args[1]):
        return _mean_over_time(t, node)
    divisor = _known(t, node.args[1])
    if divisor is None or divisor.numel() != 1:
        raise AxisError("it divides by a tensor")
    x = t.value(node.args[0])
    return t.emit(Scale(divisor=float(divisor)), [x], x.axes, node)


def _mean_over_time(t: Translator, node: fx.Node) -> Value:
    """sum over time / T, T read from a shape: the mean, rounded alike."""
    x = t.value(node.args[0])
    summed = t.graph[x.node]
    if not isinstance(summed.op, SumTime):
        raise AxisError("it divides by the number of time steps what is not a sum over them")
    return t.emit(MeanTime(), [Value(summed.inputs[0], x.axes)], x.axes, node)
