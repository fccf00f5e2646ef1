"""Spikes to currents: convolution, batch norm and, where wanted, pooling."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from spikeport.train.models.steps import per_step

Pool = Literal["max", "avg"]


def pooling(kind: Pool | None) -> nn.Module:
    """3 x 3, stride 2, padding 1; the average does not count the padding."""
    if kind == "max":
        return nn.MaxPool2d(3, stride=2, padding=1)
    if kind == "avg":
        return nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False)
    return nn.Identity()


class Projection(nn.Module):
    """y = Pool(BN(Conv(s))), without a neuron: for shortcuts, and for images that are no spikes.

    `[T, B, in_channels, H, W]` -> `[T, B, out_channels, H', W']`; the pooling acts on currents, not
    on spikes.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        pool: Pool | None = None,
    ) -> None:
        super().__init__()
        self.embed_conv = nn.Conv2d(
            in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, bias=False
        )
        self.embed_bn = nn.BatchNorm2d(out_channels)
        self.embed_pool = pooling(pool)

    def project(self, spikes: Tensor) -> Tensor:
        return per_step(lambda s: self.embed_pool(self.embed_bn(self.embed_conv(s))), spikes)

    def forward(self, spikes: Tensor) -> Tensor:
        return self.project(spikes)
