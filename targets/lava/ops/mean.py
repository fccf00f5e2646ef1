"""Mean in whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.ops import Shape, Stateless, op


def rounded_quotient(total: Tensor, divisor: int | Tensor) -> Tensor:
    """floor((total + floor(divisor / 2)) / divisor): rounded, halves up.

    Exact on integer tensors, and on floating-point ones while they hold the whole numbers.
    """
    half = divisor // 2 if isinstance(divisor, int) else divisor.div(2, rounding_mode="floor")
    return torch.div(total + half, divisor, rounding_mode="floor")


@op("lava.mean")
@dataclass(frozen=True, eq=False)
class LavaMean(Stateless):
    """y = floor((sum of x over `axes` + floor(n / 2)) / n): the mean of n values, halves up.

    A shift where n is a power of two, else what a multiplication by the reciprocal and a shift
    give. `axes` are feature axes; they stay with size 1 if `keep`.
    """

    axes: tuple[int, ...]
    keep: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(sorted(self.axes)))

    def count(self, shape: Shape) -> int:
        """n, for an input of this shape."""
        return math.prod(shape[axis] for axis in self.axes)

    def infer_shape(self, *inputs: Shape) -> Shape:
        if not self.axes or self.axes[-1] >= len(inputs[0]):
            raise ValueError(f"has no axes {self.axes}")
        if self.keep:
            return tuple(1 if i in self.axes else size for i, size in enumerate(inputs[0]))
        return tuple(size for i, size in enumerate(inputs[0]) if i not in self.axes)

    def apply(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        total = x.sum(tuple(axis + 1 for axis in self.axes), keepdim=self.keep)
        return rounded_quotient(total, self.count(tuple(x.shape[1:])))
