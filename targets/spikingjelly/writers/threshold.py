"""Spikes without a membrane."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikeport.convert.ops import Threshold
from spikeport.targets.spikingjelly.writers.base import Where, parameter, writes

_SLOPE = 4.0
"""Of the sigmoid whose derivative stands for that of the step; SpikingJelly's own is as steep."""


@writes(Threshold)
def threshold(op: Threshold, where: Where) -> nn.Module:
    return Fires(op.value, op.strict)


class Fires(nn.Module):
    """1 if x > value (x >= value unless `strict`), else 0; learns by a sigmoid's derivative."""

    def __init__(self, value: Tensor, strict: bool) -> None:
        super().__init__()
        self.value, self.strict = parameter(value), strict

    def forward(self, x: Tensor) -> Tensor:
        fired = (x > self.value if self.strict else x >= self.value).to(x.dtype)
        if not torch.is_grad_enabled():
            return fired
        smooth = torch.sigmoid(_SLOPE * (x - self.value))
        return fired + (smooth - smooth.detach())
