"""Views: what they do to time and batch is only bookkeeping, what they do to features is an op."""

from __future__ import annotations

import math

from torch import fx

from spikeport.convert.ops import RepeatTime
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import Axis, AxisError, regroup, sizes
from spikeport.convert.tracing.translator import Translator, Value, handles


@handles(
    "aten.alias.default",
    "aten.clone.default",
    "aten.contiguous.default",
    "aten.detach.default",
    "aten.detach_.default",
    "aten.lift_fresh_copy.default",
)
def identity(t: Translator, node: fx.Node) -> Value:
    return t.value(node.args[0])


@handles("aten.dropout.default", "aten.feature_dropout.default")
def dropout(t: Translator, node: fx.Node) -> Value:
    if node.args[2]:
        raise AxisError("it drops values at random also in eval mode")
    return t.value(node.args[0])


@handles(
    "aten.flatten.using_ints",
    "aten.reshape.default",
    "aten.squeeze.default",
    "aten.squeeze.dim",
    "aten.squeeze.dims",
    "aten.unflatten.int",
    "aten.unsqueeze.default",
    "aten.view.default",
    "aten._unsafe_view.default",
)
def reshape(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    return t.view(x, regroup(x.axes, t.shape_of(node)), node)


@handles("aten.permute.default")
def permute(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    order = argument(node, 1, "dims")
    return t.permute(x, [dim % len(x.axes) for dim in order], node)


@handles("aten.transpose.int")
def transpose(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    order = list(range(len(x.axes)))
    a, b = (int(dim) % len(order) for dim in node.args[1:3])  # type: ignore[arg-type]
    order[a], order[b] = order[b], order[a]
    return t.permute(x, order, node)


@handles("aten.expand.default", "aten.repeat.default")
def repeat(t: Translator, node: fx.Node) -> Value:
    """Repeats along new or unit axes; one of them may turn out to be time."""
    x = t.value(node.args[0])
    shape = t.shape_of(node)
    padded = ((),) * (len(shape) - len(x.axes)) + x.axes
    axes: list[Axis] = []
    for axis, size, before in zip(padded, shape, sizes(padded), strict=True):
        times, rest = divmod(size, before)
        if rest:
            raise AxisError(f"cannot expand {list(sizes(x.axes))} to {list(shape)}")
        axes.append(axis if times == 1 else (t.new_repeat(times), *axis))
    added = [atom for new, old in zip(axes, padded, strict=True) for atom in new if atom not in old]
    features = [atom for atom in added if t.roles.is_feature(atom)]
    if math.prod(atom.size for atom in features) != 1:
        raise AxisError("repeating feature axes is not carried")
    if t.roles.time is not None and added:
        # The unit axis that becomes time is no feature axis any more.
        kept = zip(padded, axes, strict=True)
        x = t.view(x, tuple(old for old, new in kept if old or not new), node)
        for atom in added:
            x = t.emit(RepeatTime(atom.size), [x], tuple(axes), node)
    return t.view(Value(x.node, tuple(axes)), tuple(axes), node)
