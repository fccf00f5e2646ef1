"""Average over a window."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain, scaled
from spikeport.convert.ops.base import op
from spikeport.convert.ops.window import WindowPool


@op("avg_pool")
@dataclass(frozen=True, eq=False)
class AvgPool(WindowPool):
    """y[c, p] = mean over k of x[c, p * stride + k - padding]. One or two axes.

    Padding counts as zeros in the mean if `count_padding`, else the mean is over what is there.
    """

    count_padding: bool

    def infer_domain(self, *inputs: Domain) -> Domain:
        # A divisor that varies over positions is not one constant.
        varies = any(self.padding) and not self.count_padding
        return Domain.REAL if varies else scaled(inputs[0])

    def keeps_whole(self) -> bool:
        return False

    def apply(self, *inputs: Tensor) -> Tensor:
        pool = F.avg_pool1d if len(self.kernel) == 1 else F.avg_pool2d
        return pool(
            inputs[0],
            self.kernel,
            self.stride,
            self.padding,
            count_include_pad=self.count_padding,
        )
