"""Patch embedding between the stages."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embed import Embed
from spikeport.train.models.projection import Projection


class EmbedMax(nn.Module):
    """Max-Embed, Embed, and a pooled 1x1 shortcut that reads the spikes of the Max-Embed.

    `[T, B, in_channels, H, W]` -> `[T, B, dim, H/2, W/2]`.
    """

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.max_embed1 = Embed(in_channels, dim, pool=True)
        self.embed1 = Embed(dim, dim)
        self.max_embed2 = Projection(in_channels, dim, kernel=1, pool=True)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.max_embed1.embed_lif(x)
        main: Tensor = self.embed1(self.max_embed1.project(spikes))
        shortcut: Tensor = self.max_embed2(spikes)
        return main + shortcut
