"""Margins of zeros."""

from __future__ import annotations

from typing import cast

from torch import fx

from spikeport.convert.ops import ZeroPad
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles


@handles("aten.pad.default", "aten.constant_pad_nd.default")
def pad(t: Translator, node: fx.Node) -> Value:
    """Only zeros, and only around feature axes."""
    x = t.value(node.args[0])
    by_value = "constant_pad" in str(node.target)
    mode = "constant" if by_value else argument(node, 2, "mode", "constant")
    if mode != "constant" or argument(node, 2 if by_value else 3, "value", 0) not in (None, 0, 0.0):
        raise AxisError(f"padding of mode {mode!r} with other values than 0 is not carried")
    margins = cast(list[int], node.args[1])
    before, after = [0] * len(x.axes), [0] * len(x.axes)
    for index, (front, back) in enumerate(zip(margins[::2], margins[1::2], strict=True)):
        dim = len(x.axes) - 1 - index
        before[dim], after[dim] = front, back
    if min(margins, default=0) < 0:
        raise AxisError("negative padding is not carried; use a slice")
    padded = [dim for dim in range(len(x.axes)) if before[dim] or after[dim]]
    for dim in padded:
        t.roles.feature_index(x.axes, dim)
    if not padded:
        return x
    features = [dim for dim, axis in enumerate(x.axes) if t.roles.feature_axes((axis,))]
    op = ZeroPad(tuple(before[dim] for dim in features), tuple(after[dim] for dim in features))
    axes = tuple(
        axis_of(t.size_of(axis) + before[dim] + after[dim]) if dim in padded else axis
        for dim, axis in enumerate(x.axes)
    )
    return t.emit(op, [x], axes, node)
