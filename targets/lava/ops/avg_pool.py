"""Average over a window, in whole numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops import Shape, op
from spikeport.convert.ops.window import WindowPool
from spikeport.targets.lava.ops.mean import rounded_quotient


@op("lava.avg_pool")
@dataclass(frozen=True, eq=False)
class LavaAvgPool(WindowPool):
    """y[c, p] = floor((sum over window p of x[c] + floor(n / 2)) / n), n = n[p] values there.

    `[C, H, W]`. Padding counts as zeros in n if `count_padding`. Without `divide` y is the sum.
    """

    count_padding: bool
    divide: bool

    def infer_domain(self, *inputs: Domain) -> Domain:
        summed = inputs[0].is_whole and not self.divide
        return Domain.GRADED if summed else Domain.REAL

    def divisors(self, shape: Shape) -> Tensor:
        """n by position, `[H', W']` int64, for an input of this shape."""
        if self.count_padding:
            full = math.prod(self.kernel)
            return torch.full(self.infer_shape(shape)[1:], full, dtype=torch.int64)
        return self.sums(torch.ones(1, 1, *shape[1:], dtype=torch.float64))[0, 0].to(torch.int64)

    def apply(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        total = self.sums(x)
        if not self.divide:
            return total
        divisors = self.divisors(tuple(x.shape[1:])).to(device=x.device, dtype=x.dtype)
        return rounded_quotient(total, divisors)
