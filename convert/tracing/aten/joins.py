"""Several tensors in one: cat and stack."""

from __future__ import annotations

from torch import fx

from spikeport.convert.ops import Concat
from spikeport.convert.tracing.aten.elementwise import aligned, merged
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.aten.views import repeated
from spikeport.convert.tracing.axes import Axes, Axis, AxisError, axis_of
from spikeport.convert.tracing.translator import Translator, Value, handles


def _parts(t: Translator, node: fx.Node) -> list[Value]:
    given = node.args[0]
    if not isinstance(given, list | tuple) or not given:
        raise AxisError("it joins something that is no list")
    if any(t.is_constant(each) for each in given):
        raise AxisError("it joins parameters (such as a class token) with values of the network")
    return [t.value(each) for each in given]


def _joined(t: Translator, parts: list[Value], dim: int, node: fx.Node) -> Value:
    if len(parts) == 1:
        return parts[0]
    parts = aligned(t, parts, node)
    index = {t.roles.feature_index(value.axes, dim) for value in parts}
    if len(index) != 1:
        raise AxisError("its inputs differ in their number of feature axes")
    total = sum(t.size_of(value.axes[dim]) for value in parts)
    axes: list[Axis] = list(parts[0].axes)
    for value in parts[1:]:
        axes = [merged(left, right) for left, right in zip(axes, value.axes, strict=True)]
    axes[dim] = axis_of(total)
    return t.emit(Concat(index.pop()), parts, tuple(axes), node)


@handles("aten.cat.default", "aten.concat.default")
def concatenate(t: Translator, node: fx.Node) -> Value:
    parts = _parts(t, node)
    return _joined(t, parts, int(argument(node, 1, "dim", 0)) % len(parts[0].axes), node)


@handles("aten.stack.default")
def stack(t: Translator, node: fx.Node) -> Value:
    """Of one tensor again and again a repeat, which may make the time axis; else a concat."""
    parts = _parts(t, node)
    dim = int(argument(node, 1, "dim", 0)) % (len(parts[0].axes) + 1)

    def with_axis(value: Value) -> Axes:
        return (*value.axes[:dim], (), *value.axes[dim:])

    if len(parts) > 1 and all(value == parts[0] for value in parts):
        return repeated(t, parts[0], with_axis(parts[0]), node)
    return _joined(t, [t.view(value, with_axis(value), node) for value in parts], dim, node)
