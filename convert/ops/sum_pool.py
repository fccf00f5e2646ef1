"""Sum over a window."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain, summed
from spikeport.convert.ops.base import Shape, Stateless, op
from spikeport.convert.ops.max_pool import pooled_shape


@op("sum_pool")
@dataclass(frozen=True, eq=False)
class SumPool(Stateless):
    """y[c, p] = sum over k of x[c, p * stride + k - padding]. One or two axes, zero padding."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def infer_shape(self, *inputs: Shape) -> Shape:
        return pooled_shape(inputs[0], self.kernel, self.stride, self.padding)

    def infer_domain(self, *inputs: Domain) -> Domain:
        return summed(inputs[0])

    def apply(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        ones = torch.ones((x.shape[1], 1, *self.kernel), dtype=x.dtype, device=x.device)
        convolve = F.conv1d if len(self.kernel) == 1 else F.conv2d
        return convolve(x, ones, None, self.stride, self.padding, groups=x.shape[1])
