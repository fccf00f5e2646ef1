"""Depth-wise convolutions as token mixers."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


class DepthwiseMixer(nn.Module):
    """x + BN(DWConv(LIF(x))), the membrane shortcut included. `[T, B, C, H, W]` both ways.

    Attributes:
        kernel: its height and width.
        name: of the convolution in the published weights.
    """

    kernel: ClassVar[int]
    name: ClassVar[str] = "conv"

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        kernel = self.kernel
        self.add_module(f"{self.name}_neuron", lif())
        self.add_module(self.name, nn.Conv2d(dim, dim, kernel, padding=kernel // 2, groups=dim))
        self.add_module(f"{self.name}_bn", nn.BatchNorm2d(dim))

    def forward(self, x: Tensor) -> Tensor:
        neuron, conv, bn = (self.get_submodule(self.name + end) for end in ("_neuron", "", "_bn"))
        return x + per_step(lambda s: bn(conv(s)), neuron(x))


@mixer("dwc1")
class DepthwiseMixer1(DepthwiseMixer):
    """1 x 1: a gain for each channel, no mixing of tokens (the control of table 4)."""

    kernel = 1


@mixer("dwc3")
class DepthwiseMixer3(DepthwiseMixer):
    """3 x 3."""

    kernel = 3


@mixer("dwc5")
class DepthwiseMixer5(DepthwiseMixer):
    """5 x 5."""

    kernel = 5


@mixer("dwc7")
class DepthwiseMixer7(DepthwiseMixer):
    """7 x 7. Its weights are called `conv5`, as in the published model."""

    kernel = 7
    name = "conv5"
