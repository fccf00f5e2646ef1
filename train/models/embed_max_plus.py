"""First patch embedding of the event Max-Former."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embed import Embed
from spikeport.train.models.projection import Projection
from spikeport.train.models.steps import per_step


class EmbedMaxPlus(nn.Module):
    """Frames to stage-1 currents, one eighth of the height and width.

    Conv-BN on the frames, three Max-Embeds, and a 1x1 stride-4 shortcut that reads the spikes of
    the second: `[T, B, in_channels, H, W]` -> `[T, B, dim, H/8, W/8]`.
    """

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.proj_conv = nn.Conv2d(in_channels, dim // 8, 3, padding=1, bias=False)
        self.proj_bn = nn.BatchNorm2d(dim // 8)
        self.max_embed1 = Embed(dim // 8, dim // 4, pool=True)
        self.max_embed2 = Embed(dim // 4, dim // 2, pool=True)
        self.max_embed3 = Embed(dim // 2, dim, pool=True)
        self.embed1 = Projection(dim // 4, dim, kernel=1, stride=4)

    def forward(self, x: Tensor) -> Tensor:
        x = per_step(lambda frames: self.proj_bn(self.proj_conv(frames)), x)
        spikes = self.max_embed2.embed_lif(self.max_embed1(x))
        main: Tensor = self.max_embed3(self.max_embed2.project(spikes))
        shortcut: Tensor = self.embed1(spikes)
        return main + shortcut
