"""Layers with parameters."""

from __future__ import annotations

from typing import Any

from torch import Tensor, fx

from spikeport.convert.ops import BatchNorm, Conv, Linear, MatMul
from spikeport.convert.tracing.axes import AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles


def argument(node: fx.Node, index: int, name: str, default: Any = None) -> Any:
    """An argument given by position or by name."""
    if index < len(node.args):
        return node.args[index]
    return node.kwargs.get(name, default)


def required(tensor: Tensor | None) -> Tensor:
    if tensor is None:
        raise AxisError("it has no weights")
    return tensor


def spread(value: Any, axes: int) -> tuple[int, ...]:
    """One number for all axes, or a list of one or of all, as one number per axis."""
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return values * axes if len(values) == 1 else values


@handles(
    "aten.conv1d.default",
    "aten.conv1d.padding",
    "aten.conv2d.default",
    "aten.conv2d.padding",
)
def convolution(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    weight = required(t.constant(node.args[1]))
    space = weight.ndim - 2
    if len(x.axes) != space + 2:
        raise AxisError("its input has no batch axis")
    t.roles.require_outer_first(x.axes, space + 1)
    dilation = spread(argument(node, 5, "dilation", 1), space)
    op = Conv(
        weight=weight,
        bias=t.constant(argument(node, 2, "bias")),
        stride=spread(argument(node, 3, "stride", 1), space),
        padding=_padding(argument(node, 4, "padding", 0), tuple(weight.shape[2:]), dilation),
        dilation=dilation,
        groups=argument(node, 6, "groups", 1),
    )
    axes = (x.axes[0], *(axis_of(size) for size in t.shape_of(node)[1:]))
    return t.emit(op, [x], axes, node)


def _padding(given: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[int, ...]:
    if given == "valid":
        return (0,) * len(kernel)
    if given != "same":
        return spread(given, len(kernel))
    margins = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    if any(margin % 2 for margin in margins):
        raise AxisError(
            "padding='same' of a kernel of even size pads one side more; use nn.ZeroPad2d"
        )
    return tuple(margin // 2 for margin in margins)


@handles("aten.linear.default")
def linear(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    t.roles.feature_index(x.axes, len(x.axes) - 1)
    op = Linear(
        weight=required(t.constant(node.args[1])), bias=t.constant(argument(node, 2, "bias"))
    )
    return t.emit(op, [x], (*x.axes[:-1], axis_of(op.out_features)), node)


@handles("aten.batch_norm.default")
def batch_norm(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    gain, offset, mean, var, training = node.args[1:6]
    if training or mean is None or var is None:
        raise AxisError("it normalises by the statistics of the batch (track_running_stats off?)")
    if t.roles.feature_index(x.axes, 1) != 0:
        raise AxisError("its channels are not the first feature axis")
    op = BatchNorm(
        mean=required(t.constant(mean)),
        var=required(t.constant(var)),
        gain=t.constant(gain),
        offset=t.constant(offset),
        eps=float(argument(node, 7, "eps", 1e-5)),
    )
    return t.emit(op, [x], x.axes, node)


@handles("aten.matmul.default", "aten.bmm.default")
def matmul(t: Translator, node: fx.Node) -> Value:
    if any(t.is_constant(argument) for argument in node.args):
        raise AxisError("one factor is a parameter; use nn.Linear for it")
    a, b = (t.value(argument) for argument in node.args)
    for value in (a, b):
        for dim in (-1, -2):
            t.roles.feature_index(value.axes, len(value.axes) + dim)
    if len(a.axes) != len(b.axes):
        raise AxisError("its factors differ in their number of axes")
    axes = (*a.axes[:-2], a.axes[-2], b.axes[-1])
    return t.emit(MatMul(), [a, b], axes, node)
