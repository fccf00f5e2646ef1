"""Embed-Orig of the ImageNet models."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.embeddings.base import EncodingEmbedding
from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("orig_imagenet")
class EmbedOrigImageNet(EncodingEmbedding):
    """Strided Conv-BN on the image, a strided Embed, an Embed, and a strided 1 x 1 shortcut.

    A quarter of the height and width.
    """

    stride = 4
    narrowing = 2
    stem_parts = ("embed1.embed_conv", "embed1.embed_bn")
    lif_path = "embed2.embed_lif"

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.embed1 = Projection(in_channels, dim // 2, stride=2)
        self.embed2 = Embed(dim // 2, dim, stride=2)
        self.embed3 = Embed(dim, dim)
        self.embed4 = Projection(dim // 2, dim, kernel=1, stride=2)

    def tail(self, spikes: Tensor, currents: Tensor | None) -> Tensor:
        main: Tensor = self.embed3(self.embed2.project(spikes))
        return main + self.embed4.project(spikes)
