"""Average over a window, in whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops import Shape, Stateless, op
from spikeport.convert.ops.max_pool import pooled_shape
from spikeport.targets.lava.ops.mean import rounded_quotient


@op("lava.avg_pool")
@dataclass(frozen=True, eq=False)
class LavaAvgPool(Stateless):
    """y[c, p] = floor((sum over window p of x[c] + floor(n / 2)) / n), n = n[p] values there.

    `[C, H, W]`. Padding counts as zeros in n if `count_padding`. Without `divide` y is the sum.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    count_padding: bool
    divide: bool

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def infer_shape(self, *inputs: Shape) -> Shape:
        return pooled_shape(inputs[0], self.kernel, self.stride, self.padding)

    def infer_domain(self, *inputs: Domain) -> Domain:
        summed = inputs[0].is_whole and not self.divide
        return Domain.GRADED if summed else Domain.REAL

    def divisors(self, shape: Shape) -> Tensor:
        """n by position, `[H', W']` int64, for an input of this shape."""
        if self.count_padding:
            full = math.prod(self.kernel)
            return torch.full(self.infer_shape(shape)[1:], full, dtype=torch.int64)
        return self.sums(torch.ones(1, 1, *shape[1:], dtype=torch.float64))[0, 0].to(torch.int64)

    def sums(self, x: Tensor) -> Tensor:
        """Sum over each window, `[N, C, H', W']`."""
        channels = x.shape[1]
        ones = torch.ones(channels, 1, *self.kernel, dtype=x.dtype, device=x.device)
        return F.conv2d(x, ones, stride=self.stride, padding=self.padding, groups=channels)

    def apply(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        total = self.sums(x)
        if not self.divide:
            return total
        divisors = self.divisors(tuple(x.shape[1:])).to(device=x.device, dtype=x.dtype)
        return rounded_quotient(total, divisors)
