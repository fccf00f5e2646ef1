"""Embed-Max+: first patch embedding of the event models."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embeddings.base import EncodingEmbedding
from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("max_plus")
class EmbedMaxPlus(EncodingEmbedding):
    """Conv-BN on the frames, three Max-Embeds, and a 1 x 1 stride-4 shortcut.

    The shortcut reads the spikes of the second Max-Embed. An eighth of the height and width.
    """

    stride = 8
    narrowing = 8
    lif_path = "max_embed1.embed_lif"

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.proj_conv = nn.Conv2d(in_channels, dim // 8, 3, padding=1, bias=False)
        self.proj_bn = nn.BatchNorm2d(dim // 8)
        self.max_embed1 = Embed(dim // 8, dim // 4, pool="max")
        self.max_embed2 = Embed(dim // 4, dim // 2, pool="max")
        self.max_embed3 = Embed(dim // 2, dim, pool="max")
        self.embed1 = Projection(dim // 4, dim, kernel=1, stride=4)

    def tail(self, spikes: Tensor, currents: Tensor | None) -> Tensor:
        spikes = self.max_embed2.embed_lif(self.max_embed1.project(spikes))
        main: Tensor = self.max_embed3(self.max_embed2.project(spikes))
        return main + self.embed1.project(spikes)
