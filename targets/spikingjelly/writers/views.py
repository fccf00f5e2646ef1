"""What moves values, and what reduces feature axes."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.ops import (
    Concat,
    Fourier,
    Mean,
    Permute,
    Reshape,
    Slice,
    Sum,
    Tile,
    ZeroPad,
)
from spikeport.targets.spikingjelly.writers.base import Where, Written, writes


@writes(Reshape)
def reshape(op: Reshape, where: Where) -> Written:
    return partial(_reshape, shape=op.shape, leading=where.leading)


def _reshape(x: Tensor, shape: tuple[int, ...], leading: int) -> Tensor:
    return x.reshape(*x.shape[:leading], *shape)


@writes(Permute)
def permute(op: Permute, where: Where) -> Written:
    front = tuple(range(where.leading))
    return partial(torch.permute, dims=(*front, *(axis + where.leading for axis in op.order)))


@writes(Slice)
def part(op: Slice, where: Where) -> Written:
    index = (slice(None),) * (op.axis + where.leading)
    return partial(_part, index=(*index, slice(op.start, op.stop, op.step)))


def _part(x: Tensor, index: tuple[slice, ...]) -> Tensor:
    return x[index]


@writes(Concat)
def concat(op: Concat, where: Where) -> Written:
    return partial(_concat, axis=op.axis + where.leading)


def _concat(*parts: Tensor, axis: int) -> Tensor:
    return torch.cat(parts, axis)


@writes(Tile)
def tile(op: Tile, where: Where) -> Written:
    return partial(_tile, times=(*(1,) * where.leading, *op.repeats))


def _tile(x: Tensor, times: tuple[int, ...]) -> Tensor:
    return x.repeat(times)


@writes(ZeroPad)
def zero_pad(op: ZeroPad, where: Where) -> Written:
    margins = zip(reversed(op.before), reversed(op.after), strict=True)
    return partial(F.pad, pad=[size for margin in margins for size in margin])


@writes(Mean)
def mean(op: Mean, where: Where) -> Written:
    return partial(torch.mean, dim=tuple(a + where.leading for a in op.axes), keepdim=op.keep)


@writes(Sum)
def total(op: Sum, where: Where) -> Written:
    return partial(torch.sum, dim=tuple(a + where.leading for a in op.axes), keepdim=op.keep)


@writes(Fourier)
def fourier(op: Fourier, where: Where) -> Written:
    return partial(_fourier, dim=tuple(axis + where.leading for axis in op.axes))


def _fourier(x: Tensor, dim: tuple[int, ...]) -> Tensor:
    real: Tensor = torch.fft.fftn(x, dim=dim, norm="ortho").real
    return real
