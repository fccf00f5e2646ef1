"""Maximum over a window."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import op
from spikeport.convert.ops.window import WindowPool


@op("max_pool")
@dataclass(frozen=True, eq=False)
class MaxPool(WindowPool):
    """y[c, p] = max over k of x[c, p * stride + k - padding], padding never wins. `[C, *space]`."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        pool = F.max_pool1d if len(self.kernel) == 1 else F.max_pool2d
        return pool(inputs[0], self.kernel, self.stride, self.padding)
