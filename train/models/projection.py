"""Spikes to currents: convolution, batch norm and, where wanted, max pooling."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.steps import per_step


class Projection(nn.Module):
    """y = BN(Conv(s)) or MaxPool(BN(Conv(s))), without a neuron: used for shortcuts.

    `[T, B, in_channels, H, W]` -> `[T, B, out_channels, H', W']`; the pooling (3x3, stride 2,
    padding 1) acts on currents, not on spikes.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        pool: bool = False,
    ) -> None:
        super().__init__()
        self.embed_conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.embed_bn = nn.BatchNorm2d(out_channels)
        self.embed_pool = nn.MaxPool2d(3, stride=2, padding=1) if pool else nn.Identity()

    def project(self, spikes: Tensor) -> Tensor:
        return per_step(lambda s: self.embed_pool(self.embed_bn(self.embed_conv(s))), spikes)

    def forward(self, spikes: Tensor) -> Tensor:
        return self.project(spikes)
