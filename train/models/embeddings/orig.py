"""Embed-Orig: first patch embedding of the CIFAR models."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.embeddings.base import EncodingEmbedding
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("orig")
class EmbedOrig(EncodingEmbedding):
    """Conv-BN on the frames, then an Embed and a 1 x 1 Embed side by side. Keeps the size.

    Both branches run their own neurons on the same currents, so the same spikes are made twice.
    """

    stride = 1
    narrowing = 2
    lif_path = "embed1.embed_lif"

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.proj_conv = nn.Conv2d(in_channels, dim // 2, 3, padding=1, bias=False)
        self.proj_bn = nn.BatchNorm2d(dim // 2)
        self.embed1 = Embed(dim // 2, dim)
        self.embed2 = Embed(dim // 2, dim, kernel=1)

    def tail(self, spikes: Tensor, currents: Tensor | None) -> Tensor:
        main = self.embed1.project(spikes)
        # With feedback the currents are inside its loop; the spikes are the same.
        aside = self.embed2.project(spikes) if currents is None else self.embed2(currents)
        return main + aside
