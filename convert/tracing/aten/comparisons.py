"""Comparisons with constants: spikes without a membrane."""

from __future__ import annotations

from torch import fx

from spikeport.convert.ops import Threshold
from spikeport.convert.tracing.aten.elementwise import over_features, split_constant
from spikeport.convert.tracing.axes import AxisError
from spikeport.convert.tracing.translator import Translator, Value, handles


@handles("aten.gt.Tensor", "aten.gt.Scalar", "aten.ge.Tensor", "aten.ge.Scalar")
def compare(t: Translator, node: fx.Node) -> Value:
    """x > c or x >= c, read as 0 and 1.

    Bools add and multiply otherwise than numbers, so the result must be made numbers at once.
    """
    results = (user.meta.get("val") for user in node.users)  # None of what only checks
    if not all(val is None or val.dtype.is_floating_point for val in results):
        raise AxisError("it computes with bools; make the comparison numbers, as (x > c).to(x)")
    found = split_constant(t, node)
    if found is None or found[2]:
        raise AxisError("only x > c and x >= c with a constant c are carried")
    x, value, _ = found
    if value.numel() == 1:
        value, per_step = value.reshape(1), False
    else:
        x, value, per_step = over_features(t, x, value, node)
    if per_step:
        raise AxisError("it compares with a parameter that differs between time steps")
    return t.emit(Threshold(value, strict="aten.gt." in str(node.target)), [x], x.axes, node)
