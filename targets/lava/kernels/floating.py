"""Any stateless op, in a floating type that holds all its whole numbers."""

from __future__ import annotations

import math
import platform
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.ops import (
    Add,
    Conv,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Op,
    Permute,
    Reshape,
    Stateless,
    Sum,
)
from spikeport.targets.lava.kernels.base import (
    SINGLE_LIMIT,
    Edge,
    Kernel,
    bounds_of,
    maker,
    merged,
    number,
    reach,
    split,
)
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean, LavaShift

_SUMS = (Add, Conv, Linear, MatMul, Multiply, Sum, LavaAvgPool, LavaMean, LavaShift)
"""Ops whose every step on the way is a sum or product within `_largest`."""
_PRODUCTS = (Conv, LavaAvgPool, Linear, MatMul)


@dataclass(frozen=True)
class Floating:
    """`op.apply` in `dtype`."""

    op: Stateless
    dtype: torch.dtype
    why: str

    @property
    def name(self) -> str:
        return str(self.dtype).removeprefix("torch.")

    def run(self, *inputs: Tensor) -> Tensor:
        return split(self.op.apply(*(merged(x).to(self.dtype) for x in inputs)), inputs[0])


@dataclass(frozen=True)
class Moved:
    """`op.apply` in the type of the input: nothing is computed."""

    op: Stateless
    dtype: torch.dtype
    name: str = "any type"
    why: str = "moves values only"

    def run(self, *inputs: Tensor) -> Tensor:
        return split(self.op.apply(merged(inputs[0])), inputs[0])


@dataclass(frozen=True)
class Pooled(Moved):
    """A max pool; bytes by way of float32.

    Torch pools bytes that lie channels last only up to 255 positions, and float32 is faster.
    """

    def run(self, *inputs: Tensor) -> Tensor:
        x = inputs[0]
        if x.dtype is not torch.uint8:
            return super().run(x)
        return split(self.op.apply(merged(x).float()).to(torch.uint8), x)


@maker(MaxPool)
def pooled(op: Op, inputs: tuple[Edge, ...]) -> Kernel | None:
    return Pooled(op, inputs[0].dtype) if isinstance(op, MaxPool) else None


@maker(Permute, Reshape)
def moved(op: Op, inputs: tuple[Edge, ...]) -> Kernel | None:
    return Moved(op, inputs[0].dtype) if isinstance(op, Stateless) else None


def floating_kernel(op: Stateless, inputs: tuple[Edge, ...]) -> Kernel:
    """In float32 where all sums are proven to fit and taken in full float32, else in float64."""
    largest = _largest(op, inputs)
    if not isinstance(op, _SUMS) or largest == torch.inf:
        return _floating(op, torch.float64, "no bound is known")
    if largest >= SINGLE_LIMIT:
        return _floating(op, torch.float64, f"sums up to {number(largest)}, from 2^24 on")
    if isinstance(op, _PRODUCTS) and not full_float32():
        return _floating(op, torch.float64, "float32 products are not taken in full here")
    return _floating(op, torch.float32, f"sums up to {number(largest)}, below 2^24")


def _floating(op: Stateless, dtype: torch.dtype, why: str) -> Floating:
    return Floating(op.cast(dtype), dtype, why)


def _largest(op: Op, inputs: tuple[Edge, ...]) -> float:
    """Largest magnitude on the way through the op."""
    known = max(edge.largest for edge in inputs)
    if known == torch.inf or bounds_of(op, inputs) is None:
        return torch.inf
    # A quotient is taken of a sum of that many values, plus half of the divisor.
    divisor = _divisor(op, inputs[0])
    return max(known, (known + 1) * divisor if divisor > 1 else reach(op, inputs))


def _divisor(op: Op, edge: Edge) -> int:
    """What the op divides by, at most."""
    if isinstance(op, LavaMean) and edge.bounds is not None:
        return op.count(tuple(edge.bounds.low.shape))
    if isinstance(op, LavaAvgPool):
        return math.prod(op.kernel)
    return 2**-op.bits if isinstance(op, LavaShift) and op.bits < 0 else 1


def full_float32() -> bool:
    """Whether convolutions and products are sums of float32 products, each exact.

    Elsewhere torch may take fewer bits, or other algorithms (Winograd, Fourier).
    """
    onednn: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    direct = onednn and platform.machine() in ("x86_64", "AMD64")
    return direct and torch.get_float32_matmul_precision() == "highest"
