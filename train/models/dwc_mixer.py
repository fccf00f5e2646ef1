"""Token mixer of the first stage."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


class DepthwiseMixer(nn.Module):
    """x + BN(DWConv3x3(LIF(x))), the membrane shortcut included. `[T, B, C, H, W]` both ways."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv_neuron = lif()
        self.conv = nn.Conv2d(dim, dim, 3, padding=1, groups=dim)
        self.conv_bn = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        return x + per_step(lambda s: self.conv_bn(self.conv(s)), self.conv_neuron(x))
