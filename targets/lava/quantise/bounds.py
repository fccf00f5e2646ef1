"""Proven bounds: the smallest and largest value that each element of an edge can take.

Interval arithmetic on a graph of whole numbers. Neurons emit 0 or 1, the input lies within given
bounds; every other op maps intervals to intervals without error in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar, cast

import torch
from torch import Tensor

from spikeport.convert.ops import (
    Add,
    AddConstant,
    AddPerStep,
    Conv,
    Delay,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Op,
    Permute,
    RepeatTime,
    Reshape,
    Shape,
    Stateless,
    Sum,
)
from spikeport.core.registry import Registry
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean, LavaShift


class Interval(NamedTuple):
    """Bounds of each element, `[*feature]` float64, both inclusive."""

    low: Tensor
    high: Tensor

    def expanded(self, view: Shape, shape: Shape) -> Interval:
        """Both bounds reshaped to `view` and expanded to `shape`."""
        return Interval(self.low.reshape(view).expand(shape), self.high.reshape(view).expand(shape))

    @property
    def largest(self) -> float:
        """Largest magnitude."""
        return max(float(self.low.abs().max()), float(self.high.abs().max()))


Bound = Callable[[Op, tuple[Interval, ...], Shape], Interval]
BOUNDS: Registry[Bound] = Registry("bound")

BoundType = TypeVar("BoundType", bound=Bound)


def _bound(*ops: type[Op]) -> Callable[[BoundType], BoundType]:
    def register(function: BoundType) -> BoundType:
        for op in ops:
            BOUNDS.add(op.kind, function)
        return function

    return register


def between(shape: Shape, low: int, high: int) -> Interval:
    """low ... high everywhere."""
    ends = (torch.full(shape, float(end), dtype=torch.float64) for end in (low, high))
    return Interval(*ends)


def spikes(shape: Shape) -> Interval:
    """0 or 1 everywhere."""
    return between(shape, 0, 1)


def interval(op: Op, inputs: tuple[Interval, ...]) -> Interval:
    """Bounds of the output of `op` for inputs within these bounds."""
    shapes = () if op.arity == 0 else tuple(tuple(x.low.shape) for x in inputs)
    return BOUNDS[op.kind](op, inputs, op.infer_shape(*shapes))


def _apply(op: Op, *values: Tensor) -> Tensor:
    stateless = cast(Stateless, op.cast(torch.float64))
    return stateless.apply(*(value.unsqueeze(0) for value in values)).squeeze(0)


@_bound(Add, MaxPool, Reshape, Permute, Sum, LavaShift, LavaMean, LavaAvgPool)
def _monotone(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    low = _apply(op, *(x.low for x in inputs))
    return Interval(low, _apply(op, *(x.high for x in inputs)))


@_bound(RepeatTime)
def _repeated(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    return inputs[0]


@_bound(Delay)
def _delayed(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    """Of the source; at the first step it is zero."""
    (low, high) = inputs[0]
    return Interval(low.clamp(max=0), high.clamp(min=0))


@_bound(AddConstant)
def _offset(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    value = cast(AddConstant, op).value.double()
    return Interval(inputs[0].low + value, inputs[0].high + value)


@_bound(AddPerStep)
def _offset_per_step(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    low, high = torch.aminmax(cast(AddPerStep, op).value.double(), dim=0)
    return Interval(inputs[0].low + low, inputs[0].high + high)


@_bound(Conv)
def _convolution(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    """The same at every position: nowhere is more read than in the middle."""
    conv, (low, high) = cast(Conv, op), inputs[0]
    # Padding is zero, so zero is always among what is read.
    low, high = low.flatten(1).amin(1).clamp(max=0), high.flatten(1).amax(1).clamp(min=0)
    weight = conv.weight.double().flatten(2)
    group = torch.arange(conv.out_channels) // (conv.out_channels // conv.groups)
    channels = group.unsqueeze(1) * weight.shape[1] + torch.arange(weight.shape[1])
    return _weighted(weight, low[channels].unsqueeze(2), high[channels].unsqueeze(2)).expanded(
        (-1, *[1] * (len(shape) - 1)), shape
    )


@_bound(Linear)
def _linear(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    linear, (low, high) = cast(Linear, op), inputs[0]
    low = low.reshape(-1, linear.in_features).amin(0)
    high = high.reshape(-1, linear.in_features).amax(0)
    weight = linear.weight.double().unsqueeze(2)
    return _weighted(weight, low.reshape(1, -1, 1), high.reshape(1, -1, 1)).expanded((-1,), shape)


def _weighted(weight: Tensor, low: Tensor, high: Tensor) -> Interval:
    """Bounds of sum over i, k of w[o, i, k] x[o, i], `[C_out]`."""
    up, down = weight.clamp(min=0), weight.clamp(max=0)
    return Interval(
        (up * low + down * high).sum((1, 2)),
        (up * high + down * low).sum((1, 2)),
    )


@_bound(Multiply)
def _product(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    corners = torch.stack([a * b for a in inputs[0] for b in inputs[1]])
    return Interval(corners.amin(0), corners.amax(0))


@_bound(MatMul)
def _matrix_product(op: Op, inputs: tuple[Interval, ...], shape: Shape) -> Interval:
    (a, b), (c, d) = inputs
    if float(a.min()) >= 0 and float(c.min()) >= 0:
        return Interval(a @ c, b @ d)
    # With signs each product lies within those of the largest magnitudes.
    reach = torch.maximum(a.abs(), b.abs()) @ torch.maximum(c.abs(), d.abs())
    return Interval(-reach, reach)
