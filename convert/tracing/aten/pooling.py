"""Pooling."""

from __future__ import annotations

from typing import Any

from torch import fx

from spikeport.convert.ops import AvgPool, MaxPool, Mean, Op
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles


def _pair(value: Any) -> tuple[int, int]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return (values[0], values[-1])


def _pool(t: Translator, node: fx.Node, op: Op) -> Value:
    x = t.value(node.args[0])
    if len(x.axes) != 4:
        raise AxisError("its input is not [N, C, H, W]")
    t.roles.require_outer_first(x.axes, 3)
    axes = (*x.axes[:2], *(axis_of(size) for size in t.shape_of(node)[2:]))
    return t.emit(op, [x], axes, node)


@handles("aten.max_pool2d.default")
def max_pool(t: Translator, node: fx.Node) -> Value:
    kernel = _pair(node.args[1])
    if _pair(argument(node, 4, "dilation", 1)) != (1, 1) or argument(node, 5, "ceil_mode", False):
        raise AxisError("dilation and ceil_mode of max pools are not carried")
    stride = argument(node, 2, "stride") or kernel
    op = MaxPool(kernel, _pair(stride), _pair(argument(node, 3, "padding", 0)))
    return _pool(t, node, op)


@handles("aten.avg_pool2d.default")
def avg_pool(t: Translator, node: fx.Node) -> Value:
    kernel = _pair(node.args[1])
    if argument(node, 4, "ceil_mode", False) or argument(node, 6, "divisor_override"):
        raise AxisError("ceil_mode and divisor_override of average pools are not carried")
    stride = argument(node, 2, "stride") or kernel
    op = AvgPool(
        kernel,
        _pair(stride),
        _pair(argument(node, 3, "padding", 0)),
        count_padding=bool(argument(node, 5, "count_include_pad", True)),
    )
    return _pool(t, node, op)


@handles("aten.adaptive_avg_pool2d.default")
def adaptive_avg_pool(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    shape, out = t.shape_of(node.all_input_nodes[0])[-2:], t.shape_of(node)[-2:]
    if out == (1, 1):
        first = t.roles.feature_index(x.axes, len(x.axes) - 2)
        last = t.roles.feature_index(x.axes, len(x.axes) - 1)
        return t.emit(Mean((first, last), keep=True), [x], (*x.axes[:-2], (), ()), node)
    if any(size % target for size, target in zip(shape, out, strict=True)):
        raise AxisError(f"windows of adaptive pooling from {shape} to {out} differ in size")
    kernel = (shape[0] // out[0], shape[1] // out[1])
    if (kernel[0] * kernel[1]).bit_count() != 1:
        # Adaptive pooling rounds otherwise than average pooling, and a spike may hang on it.
        raise AxisError(f"use nn.AvgPool2d({kernel}); adaptive pooling rounds in its own way")
    return _pool(t, node, AvgPool(kernel, kernel, (0, 0), count_padding=True))
