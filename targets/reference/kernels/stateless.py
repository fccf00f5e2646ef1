"""Ops that look at one step alone: all steps at once, as the op itself computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from spikeport.convert.ops import (
    AdaptiveAvgPool,
    Add,
    AvgPool,
    Concat,
    MatMul,
    MaxPool,
    Mean,
    Multiply,
    Scale,
    Stateless,
    Subtract,
    Sum,
    Tile,
)
from spikeport.targets.reference.kernels.base import (
    Extent,
    Kernel,
    Place,
    by_steps,
    implements,
    spread,
)
from spikeport.targets.reference.setting import Setting

_FRESH = (AdaptiveAvgPool, AvgPool, Concat, MatMul, MaxPool, Mean, Sum, Tile)
"""Ops whose result is new memory; any other may be a view of what it reads."""


class Plain:
    """The op's own rule."""

    def __init__(self, place: Place, setting: Setting) -> None:
        self.name, self.overwrites = "torch", ()
        self.fresh = type(place.node.op) in _FRESH
        self._dtype = setting.dtype_of(place.stepped)
        self._op = place.node.op.cast(self._dtype, setting.device)
        self._repeated = [not stepped and place.stepped for stepped in place.inputs_stepped]

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        values = [
            (spread(x, extent).flatten(0, 1) if repeated else x).to(self._dtype)
            for x, repeated in zip(inputs, self._repeated, strict=True)
        ]
        result: Tensor = self._op.apply(*values)  # type: ignore[attr-defined]
        return result


@implements(Stateless)
def plain(place: Place, setting: Setting) -> Kernel:
    return Plain(place, setting)


class Elementwise:
    """A sum, difference or product: in the place of an operand that is not needed any more; an
    operand once per sample is not copied for each step."""

    def __init__(self, place: Place, setting: Setting, compute: Callable[..., Tensor]) -> None:
        self.name, self.fresh = "torch in place", True
        self.overwrites = () if place.mixed else (0, 1)
        self._compute = compute
        self._dtype = setting.dtype_of(place.stepped)
        self._stepped = place.inputs_stepped

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        values = [x.to(self._dtype) for x in inputs]
        if len(set(self._stepped)) == 1:
            out = None if spare is None else values[spare]
            # A broadcast result does not fit into either operand.
            if out is not None and all(x.shape == out.shape for x in values):
                return self._compute(*values, out=out)
            return self._compute(*values)
        aligned = [
            by_steps(x, extent) if stepped else x
            for x, stepped in zip(values, self._stepped, strict=True)
        ]
        return self._compute(*aligned).flatten(0, 1)


_COMPUTE: dict[type, Callable[..., Tensor]] = {
    Add: torch.add,
    Subtract: torch.sub,
    Multiply: torch.mul,
}


@implements(Add, Subtract, Multiply)
def elementwise(place: Place, setting: Setting) -> Kernel | None:
    compute = _COMPUTE.get(type(place.node.op))
    return None if compute is None else Elementwise(place, setting, compute)


class Scaling:
    """A constant factor, in place where it may be."""

    def __init__(self, op: Scale, dtype: torch.dtype) -> None:
        self.name, self.overwrites, self.fresh = "torch in place", (0,), False
        self._op, self._dtype = op, dtype

    def __call__(self, inputs: Sequence[Tensor], extent: Extent, spare: int | None) -> Tensor:
        x = inputs[0].to(self._dtype)
        if spare is None:
            return self._op.apply(x)
        if self._op.factor != 1.0:
            x.mul_(self._op.factor)
        return x if self._op.divisor == 1.0 else x.div_(self._op.divisor)


@implements(Scale)
def scaling(place: Place, setting: Setting) -> Kernel | None:
    op = place.node.op
    return Scaling(op, setting.dtype_of(place.stepped)) if type(op) is Scale else None
