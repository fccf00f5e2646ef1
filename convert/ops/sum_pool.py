"""Sum over a window."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain, summed
from spikeport.convert.ops.base import op
from spikeport.convert.ops.window import WindowPool


@op("sum_pool")
@dataclass(frozen=True, eq=False)
class SumPool(WindowPool):
    """y[c, p] = sum over k of x[c, p * stride + k - padding]. One or two axes, zero padding."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return summed(inputs[0])

    def apply(self, *inputs: Tensor) -> Tensor:
        return self.sums(inputs[0])
