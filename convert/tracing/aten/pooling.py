"""Pooling over one or two axes."""

from __future__ import annotations

from typing import Any

from torch import fx

from spikeport.convert.ops import AdaptiveAvgPool, AvgPool, MaxPool, Mean, Op, SumPool
from spikeport.convert.tracing.aten.layers import argument, spread
from spikeport.convert.tracing.axes import AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles


def _pool(t: Translator, node: fx.Node, op: Op, axes: int) -> Value:
    x = t.value(node.args[0])
    if len(x.axes) != axes + 2:
        raise AxisError(f"its input is not [N, C, *{axes} axes]")
    t.roles.require_outer_first(x.axes, axes + 1)
    # Max pools that also give indices have a list of results.
    out = node.meta["val"][0].shape if isinstance(node.meta["val"], tuple | list) else None
    space = (t.shape_of(node) if out is None else tuple(int(size) for size in out[2:]))[-axes:]
    return t.emit(op, [x], (*x.axes[:2], *(axis_of(size) for size in space)), node)


def _axes(node: fx.Node) -> int:
    """1 or 2, from the name of the op (`aten.max_pool2d.default`)."""
    return 1 if "1d" in str(node.target) else 2


@handles(
    "aten.max_pool1d.default",
    "aten.max_pool2d.default",
    "aten.max_pool2d_with_indices.default",
)
def max_pool(t: Translator, node: fx.Node) -> Value:
    axes = _axes(node)
    kernel = spread(node.args[1], axes)
    dilated = set(spread(argument(node, 4, "dilation", 1), axes)) != {1}
    if dilated or argument(node, 5, "ceil_mode", False):
        raise AxisError("dilation and ceil_mode of max pools are not carried")
    stride = spread(argument(node, 2, "stride") or kernel, axes)
    op = MaxPool(kernel, stride, spread(argument(node, 3, "padding", 0), axes))
    return _pool(t, node, op, axes)


@handles("aten.avg_pool1d.default", "aten.avg_pool2d.default")
def avg_pool(t: Translator, node: fx.Node) -> Value:
    axes = _axes(node)
    kernel = spread(node.args[1], axes)
    divisor = argument(node, 6, "divisor_override")
    if argument(node, 4, "ceil_mode", False) or divisor not in (None, 1):
        raise AxisError("ceil_mode and a divisor_override above 1 of average pools are not carried")
    stride = spread(argument(node, 2, "stride") or kernel, axes)
    padding = spread(argument(node, 3, "padding", 0), axes)
    counted = bool(argument(node, 5, "count_include_pad", True))
    op = SumPool(kernel, stride, padding) if divisor else AvgPool(kernel, stride, padding, counted)
    return _pool(t, node, op, axes)


def _sizes(t: Translator, node: fx.Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Space of the input and of the output of an adaptive pool."""
    x, axes = t.value(node.args[0]), _axes(node)
    if len(x.axes) != axes + 2:
        raise AxisError(f"its input is not [N, C, *{axes} axes]")
    before = tuple(t.size_of(axis) for axis in x.axes[-axes:])
    given: Any = spread(argument(node, 1, "output_size"), axes)
    return before, tuple(b if g is None else int(g) for b, g in zip(before, given, strict=True))


@handles("aten.adaptive_avg_pool1d.default", "aten.adaptive_avg_pool2d.default")
def adaptive_avg_pool(t: Translator, node: fx.Node) -> Value:
    before, after = _sizes(t, node)
    if after == (1, 1):
        x = t.value(node.args[0])
        over = tuple(t.roles.feature_index(x.axes, len(x.axes) - back) for back in (2, 1))
        return t.emit(Mean(over, keep=True), [x], (*x.axes[:-2], (), ()), node)
    return _pool(t, node, AdaptiveAvgPool(before, after), len(before))


@handles("aten.adaptive_max_pool1d.default", "aten.adaptive_max_pool2d.default")
def adaptive_max_pool(t: Translator, node: fx.Node) -> Value:
    before, after = _sizes(t, node)
    if any(size % target for size, target in zip(before, after, strict=True)):
        raise AxisError(f"windows of adaptive pooling from {before} to {after} differ in size")
    kernel = tuple(size // target for size, target in zip(before, after, strict=True))
    return _pool(t, node, MaxPool(kernel, kernel, (0,) * len(kernel)), len(kernel))
