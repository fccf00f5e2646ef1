"""Views: what they do to time and batch is only bookkeeping, what they do to features is an op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import fx

from spikeport.convert.ops import RepeatTime, Tile
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import Atom, Axes, AxisError, axis_of, regroup, sizes
from spikeport.convert.tracing.translator import Translator, Value, handles


@handles(
    "aten.alias.default",
    "aten.clone.default",
    "aten.contiguous.default",
    "aten.detach.default",
    "aten.detach_.default",
    "aten.lift_fresh_copy.default",
    "aten.positive.default",
)
def identity(t: Translator, node: fx.Node) -> Value:
    return t.value(node.args[0])


@handles(
    "aten.alpha_dropout.default",
    "aten.dropout.default",
    "aten.feature_alpha_dropout.default",
    "aten.feature_dropout.default",
)
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
    "aten.view_as.default",
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


@handles("aten.transpose.int", "aten.swapaxes.default", "aten.swapdims.default")
def transpose(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    order = list(range(len(x.axes)))
    a, b = (int(dim) % len(order) for dim in node.args[1:3])  # type: ignore[arg-type]
    order[a], order[b] = order[b], order[a]
    return t.permute(x, order, node)


@handles("aten.t.default")
def transpose_matrix(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    return t.permute(x, list(reversed(range(len(x.axes)))), node)


@handles("aten.movedim.int", "aten.movedim.intlist")
def move_axes(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    taken, given = (
        [int(dim) % len(x.axes) for dim in (dims if isinstance(dims, list | tuple) else [dims])]
        for dims in cast(Sequence[Any], node.args[1:3])
    )
    order: list[int] = [dim for dim in range(len(x.axes)) if dim not in taken]
    for place, dim in sorted(zip(given, taken, strict=True)):
        order.insert(place, dim)
    return t.permute(x, order, node)


@handles(
    "aten.to.dtype",
    "aten.to.device",
    "aten.to.dtype_layout",
    "aten._to_copy.default",
    "aten.type_as.default",
)
def change_type(t: Translator, node: fx.Node) -> Value:
    given, wanted = node.all_input_nodes[0].meta["val"].dtype, node.meta["val"].dtype
    as_numbers = given == torch.bool and wanted.is_floating_point
    if given != wanted and not as_numbers:
        raise AxisError("it changes the type of numbers on the way")
    return t.value(node.args[0])


@handles("aten.expand.default", "aten.repeat.default")
def repeat(t: Translator, node: fx.Node) -> Value:
    """Repeats along axes; one of them may turn out to be time."""
    x = t.value(node.args[0])
    return repeated(t, x, ((),) * (len(t.shape_of(node)) - len(x.axes)) + x.axes, node)


def repeated(t: Translator, x: Value, padded: Axes, node: fx.Node) -> Value:
    """The value under axes `padded`, each repeated to the size that `node` has there."""
    axes, added = list(padded), dict[int, Atom]()
    for dim, (axis, size) in enumerate(zip(padded, t.shape_of(node), strict=True)):
        times, rest = divmod(size, t.size_of(axis))
        if rest:
            raise AxisError(f"cannot expand {list(sizes(x.axes))} to {list(t.shape_of(node))}")
        if times != 1:
            added[dim] = t.repeat_atom(node, dim, times)
            axes[dim] = (added[dim], *axis)
    over_time = [dim for dim, atom in added.items() if atom.name == t.roles.time]
    # The unit axis that becomes time is no feature axis any more.
    x = t.view(x, tuple(a for d, a in enumerate(padded) if a or d not in over_time), node)
    repeats: dict[int, int] = {}
    for dim in set(added) - set(over_time):
        if any(not t.roles.is_feature(atom) for atom in padded[dim]):
            raise AxisError("it repeats samples or time steps")
        repeats[dim] = added[dim].size
        axes[dim] = axis_of(added[dim].size * t.size_of(padded[dim]))
    if repeats:
        features = [d for d, axis in enumerate(axes) if t.roles.feature_axes((axis,))]
        op = Tile(tuple(repeats.get(dim, 1) for dim in features))
        tiled = [axis if dim not in over_time else padded[dim] for dim, axis in enumerate(axes)]
        kept = tuple(axis for dim, axis in enumerate(tiled) if axis or dim not in over_time)
        x = t.emit(op, [x], kept, node)
    for dim in over_time:
        x = t.emit(RepeatTime(added[dim].size), [x], tuple(axes), node)
    return Value(x.node, tuple(axes))
