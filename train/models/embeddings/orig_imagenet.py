"""Embed-Orig of the ImageNet models."""

from __future__ import annotations

from torch import Tensor, nn

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

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__()
        self.embed1 = Projection(in_channels, dim // 2, stride=2)
        self.embed2 = Embed(dim // 2, dim, stride=2)
        self.embed3 = Embed(dim, dim)
        self.embed4 = Projection(dim // 2, dim, kernel=1, stride=2)

    @property
    def encoding_lif(self) -> nn.Module:
        neuron: nn.Module = self.embed2.embed_lif
        return neuron

    def stem(self, frames: Tensor) -> Tensor:
        return self.embed1.project(frames)

    def tail(self, spikes: Tensor, currents: Tensor) -> Tensor:
        main: Tensor = self.embed3(self.embed2.project(spikes))
        return main + self.embed4.project(spikes)
