"""Means and sums."""

from __future__ import annotations

from collections.abc import Sequence

from torch import fx

from spikeport.convert.ops import Mean, MeanTime, Op, Sum, SumTime
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import Axes, AxisError
from spikeport.convert.tracing.translator import Translator, Value, handles


def _dims(x: Value, node: fx.Node) -> list[int]:
    given = argument(node, 1, "dim")
    if given is None:
        raise AxisError("it runs over all axes, time and batch among them")
    dims = list(given) if isinstance(given, Sequence) else [given]
    return sorted(int(dim) % len(x.axes) for dim in dims)


def _without(axes: Axes, dims: Sequence[int], keep: bool) -> Axes:
    if keep:
        return tuple(() if i in dims else axis for i, axis in enumerate(axes))
    return tuple(axis for i, axis in enumerate(axes) if i not in dims)


def _over_features(
    t: Translator, node: fx.Node, x: Value, op_type: type[Mean | Sum], dims: list[int], keep: bool
) -> Value:
    axes = tuple(t.roles.feature_index(x.axes, dim) for dim in dims)
    op: Op = op_type(axes, keep=keep)
    return t.emit(op, [x], _without(x.axes, dims, keep), node)


def _is_time(t: Translator, x: Value, dim: int) -> bool:
    return [atom.name for atom in x.axes[dim]] == [t.roles.time] and t.roles.time is not None


@handles("aten.mean.dim")
def mean(t: Translator, node: fx.Node) -> Value:
    return _reduced(t, node, Mean, MeanTime)


@handles("aten.sum.dim_IntList")
def total(t: Translator, node: fx.Node) -> Value:
    return _reduced(t, node, Sum, SumTime)


def _reduced(
    t: Translator, node: fx.Node, features: type[Mean | Sum], time: type[MeanTime | SumTime]
) -> Value:
    x, keep = t.value(node.args[0]), bool(argument(node, 2, "keepdim", False))
    dims = _dims(x, node)
    over_time = [dim for dim in dims if _is_time(t, x, dim)]
    over_features = [dim for dim in dims if dim not in over_time]
    if over_features:
        x = _over_features(t, node, x, features, over_features, keep)
    for dim in over_time:
        # Axes in front of this one may be gone already.
        dim -= 0 if keep else sum(feature < dim for feature in over_features)
        x = t.emit(time(), [x], _without(x.axes, [dim], keep=False), node)
        if keep:
            x = t.view(x, (*x.axes[:dim], (), *x.axes[dim:]), node)
    return x
