"""Fourier transforms of which only the real part goes on."""

from __future__ import annotations

from typing import cast

import torch
from torch import fx

from spikeport.convert.ops import Fourier
from spikeport.convert.tracing.aten.layers import argument
from spikeport.convert.tracing.axes import AxisError
from spikeport.convert.tracing.translator import Translator, Value, handles

_REAL = torch.ops.aten.real.default


@handles("aten.fft_fftn.default")
def transform(t: Translator, node: fx.Node) -> Value:
    """The complex numbers have no node: `real_part` makes one of both."""
    if any(user.target is not _REAL for user in node.users):
        raise AxisError("complex numbers are not carried, only the real part of a transform")
    return t.value(node.args[0])


@handles("aten.real.default")
def real_part(t: Translator, node: fx.Node) -> Value:
    source = cast(fx.Node, node.args[0])
    if str(source.target) != "aten.fft_fftn.default":
        raise AxisError("the real part is carried of a Fourier transform only")
    if argument(source, 3, "norm") != "ortho" or argument(source, 1, "s") is not None:
        raise AxisError("only orthonormal transforms over whole axes are carried (norm='ortho')")
    x = t.value(node.args[0])
    dims = argument(source, 2, "dim")
    if dims is None:
        raise AxisError("it runs over all axes, time and batch among them")
    axes = tuple(t.roles.feature_index(x.axes, int(dim) % len(x.axes)) for dim in dims)
    return t.emit(Fourier(axes), [x], x.axes, node)
