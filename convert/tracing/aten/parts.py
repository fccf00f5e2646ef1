"""Parts of a tensor: chunk, split, slice, select."""

from __future__ import annotations

import sys
from typing import Any

from torch import fx

from spikeport.convert.ops import Slice
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles

_LOOP = (
    "Run neurons in multi-step mode (functional.set_step_mode(model, 'm')), write the loop as a "
    "spikeport.core.recurrence.TimeLoop, or trace the module inside the loop with steps."
)


def _number(value: Any, default: int) -> int:
    if value is None:
        return default
    if not isinstance(value, int):
        raise AxisError("it cuts at a place that depends on the input's size")
    return value


def part(t: Translator, x: Value, dim: int, bounds: range, node: fx.Node) -> Value:
    """Elements `bounds` of a tensor axis; that axis must be a feature unless all are taken."""
    whole = t.size_of(x.axes[dim])
    if bounds == range(whole):
        return x
    axis = t.roles.feature_index(x.axes, dim)
    op = Slice(axis, bounds.start, min(bounds.stop, whole), bounds.step)
    axes = (*x.axes[:dim], axis_of(len(bounds)), *x.axes[dim + 1 :])
    return t.emit(op, [x], axes, node)


@handles(
    "aten.chunk.default",
    "aten.split.Tensor",
    "aten.split.sizes",
    "aten.split_with_sizes.default",
    "aten.unbind.int",
)
def several(t: Translator, node: fx.Node) -> Value:
    """A list of parts: `getitem` cuts each out."""
    return t.value(node.args[0])


@handles("getitem")
def getitem(t: Translator, node: fx.Node) -> Value:
    origin, index = node.args
    if not isinstance(origin, fx.Node) or not isinstance(index, int):
        raise AxisError("it takes an item of something that is no list")
    x = t.value(origin)
    results, kind = origin.meta["val"], str(origin.target)
    if kind.startswith("aten.unbind"):
        return _select(t, x, _dim(origin, 1, x), index, node)
    if not kind.startswith(("aten.chunk", "aten.split")):
        if index != 0:
            raise AxisError(f"result {index} of {kind} is not carried")
        return x
    dim = _dim(origin, 2, x)
    sizes = [int(result.shape[dim]) for result in results]
    start = sum(sizes[:index])
    return part(t, x, dim, range(start, start + sizes[index]), node)


def _dim(node: fx.Node, index: int, x: Value) -> int:
    return int(argument(node, index, "dim", 0)) % len(x.axes)


@handles("aten.slice.Tensor")
def slice_axis(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    dim = _dim(node, 1, x)
    start = _number(argument(node, 2, "start"), 0)
    stop = _number(argument(node, 3, "end"), sys.maxsize)
    step = _number(argument(node, 4, "step"), 1)
    return part(t, x, dim, range(t.size_of(x.axes[dim]))[start:stop:step], node)


@handles("aten.narrow.default")
def narrow(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    start, length = _number(node.args[2], 0), _number(node.args[3], 0)
    return part(t, x, _dim(node, 1, x), range(start, start + length), node)


@handles("aten.select.int")
def select(t: Translator, node: fx.Node) -> Value:
    x = t.value(node.args[0])
    return _select(t, x, _dim(node, 1, x), _number(node.args[2], 0), node)


def _select(t: Translator, x: Value, dim: int, index: int, node: fx.Node) -> Value:
    if [atom.name for atom in x.axes[dim]] == [t.roles.time]:
        raise AxisError("it picks single time steps, as a loop over time does", fix=_LOOP)
    position = index % max(t.size_of(x.axes[dim]), 1)
    one = part(t, x, dim, range(position, position + 1), node)
    return t.view(one, (*one.axes[:dim], *one.axes[dim + 1 :]), node)
