"""Constant scales commute with linear layers: where the events of a scaled edge come from.

W (c s) = c (W s): a layer that reads a time mean, an average or a scaled spike does the additions
of the spikes behind it. `PULLBACKS` carries a map of fan-outs from the output of such an op to
its input; each op class has one entry, found through its bases.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    AdaptiveAvgPool,
    AvgPool,
    Mean,
    MeanTime,
    Op,
    Permute,
    Reshape,
    Scale,
    Sum,
    SumPool,
    SumTime,
)
from spikeport.estimate.tally.geometry import axis_cover, squeezed, windows_cover
from spikeport.estimate.tally.registry import ClassRegistry

Pullback = Callable[[Op, Node, Tensor], Tensor]
"""(op, node that it reads, map over its output) -> map over its input.

Maps are float64 with one axis per feature axis, of full size or 1.
"""

PULLBACKS: ClassRegistry[Pullback] = ClassRegistry("pullback")


def commutes(op: Op) -> bool:
    """Whether the op is a constant scale in the sense above, each input read at most once."""
    if isinstance(op, AvgPool | SumPool):
        return all(s >= k for s, k in zip(op.stride, op.kernel, strict=True))
    if isinstance(op, AdaptiveAvgPool):
        return all(size % out == 0 for size, out in zip(op.size, op.output, strict=True))
    return PULLBACKS.find(type(op)) is not None


def pulled_back(op: Op, source: Node, weights: Tensor) -> Tensor:
    """The map over the output of a commuting op as a map over its input."""
    pullback = PULLBACKS.find(type(op))
    if pullback is None:
        raise ValueError(f"{op.kind} does not commute")
    return squeezed(pullback(op, source, weights))


@PULLBACKS.register(Scale)
@PULLBACKS.register(MeanTime)
@PULLBACKS.register(SumTime)
def _same_place(op: Op, source: Node, weights: Tensor) -> Tensor:
    return weights


@PULLBACKS.register(Mean)
@PULLBACKS.register(Sum)
def _reduced(op: Op, source: Node, weights: Tensor) -> Tensor:
    assert isinstance(op, Mean | Sum)
    for axis in () if op.keep else op.axes:
        weights = weights.unsqueeze(axis)
    return weights


@PULLBACKS.register(Permute)
def _permuted(op: Op, source: Node, weights: Tensor) -> Tensor:
    assert isinstance(op, Permute)
    return weights.permute(*(op.order.index(axis) for axis in range(len(op.order))))


@PULLBACKS.register(Reshape)
def _reshaped(op: Op, source: Node, weights: Tensor) -> Tensor:
    assert isinstance(op, Reshape)
    if weights.numel() == 1:
        return weights.reshape([1] * len(source.shape))
    return weights.expand(op.shape).reshape(source.shape)


@PULLBACKS.register(AvgPool)
@PULLBACKS.register(SumPool)
def _averaged(op: Op, source: Node, weights: Tensor) -> Tensor:
    assert isinstance(op, AvgPool | SumPool)
    axes = zip(source.shape[1:], op.kernel, op.stride, op.padding, strict=True)
    return _spread(weights, [axis_cover(*axis) for axis in axes])


@PULLBACKS.register(AdaptiveAvgPool)
def _evenly_averaged(op: Op, source: Node, weights: Tensor) -> Tensor:
    assert isinstance(op, AdaptiveAvgPool)
    axes = zip(op.windows(), op.size, strict=True)
    return _spread(weights, [windows_cover(*axis) for axis in axes])


def _spread(weights: Tensor, covers: list[Tensor]) -> Tensor:
    """From `[C, *outputs]` to `[C, *inputs]`, given which inputs each output covers, per axis."""
    full = weights.expand(weights.shape[0], *(len(cover) for cover in covers))
    outputs, inputs = "op"[: len(covers)], "ij"[: len(covers)]
    terms = ",".join(f"{out}{place}" for out, place in zip(outputs, inputs, strict=True))
    return torch.einsum(f"{terms},c{outputs}->c{inputs}", *covers, full)
