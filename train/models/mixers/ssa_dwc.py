"""Spiking self-attention followed by a depth-wise convolution."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.mixers.ssa import SpikingSelfAttention
from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


class SsaDepthwise(SpikingSelfAttention):
    """x + BN(DWConv(LIF(a))), where x + a is spiking self-attention.

    The convolution stands behind the output projection, inside the same membrane shortcut
    (arXiv 2505.18608, table 7, group 5). `[T, B, C, H, W]` both ways.
    """

    def __init__(self, dim: int, heads: int, kernel: int) -> None:
        super().__init__(dim, heads)
        self.dwc_neuron = lif()
        self.dwc = nn.Conv2d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.dwc_bn = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        return x + per_step(lambda s: self.dwc_bn(self.dwc(s)), self.dwc_neuron(self.attend(x)))


@mixer("ssa_dwc3", slot="attn")
class SsaDepthwise3(SsaDepthwise):
    """With a 3 x 3 kernel."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads, 3)


@mixer("ssa_dwc5", slot="attn")
class SsaDepthwise5(SsaDepthwise):
    """With a 5 x 5 kernel."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads, 5)
