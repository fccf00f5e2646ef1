"""Basic block of the ResNets with membrane shortcut."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


class BasicBlock(nn.Module):
    """BN(Conv(LIF(BN(Conv(LIF(x)))))) + shortcut(x). `[T, B, C, H, W]` -> `[T, B, C', H', W']`.

    Where it halves the size, the first convolution has stride 2 (MS-ResNet, arXiv 2112.08954), or
    stride 1 and a 3 x 3 max pooling of stride 2 behind its batch norm (Max-ResNet,
    arXiv 2505.18608, table 5). A shortcut that changes the shape is a strided 1 x 1 convolution of
    the membrane itself: real numbers, not spikes.
    """

    def __init__(self, in_channels: int, out_channels: int, *, halve: bool, max_pool: bool) -> None:
        super().__init__()
        stride = 2 if halve and not max_pool else 1
        self.spike1 = lif()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        pools = halve and max_pool
        self.pool = nn.MaxPool2d(3, stride=2, padding=1) if pools else nn.Identity()
        self.spike2 = lif()
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = nn.Sequential()
        if halve or in_channels != out_channels:
            # In the published weights the convolution is the second of three modules; the first
            # merges time and batch, which `per_step` does here.
            self.downsample = nn.Sequential(
                nn.Identity(),
                nn.Conv2d(in_channels, out_channels, 1, 2 if halve else 1, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        inner = per_step(lambda s: self.pool(self.bn1(self.conv1(s))), self.spike1(x))
        main = per_step(lambda s: self.bn2(self.conv2(s)), self.spike2(inner))
        return main + (per_step(self.downsample, x) if len(self.downsample) else x)
