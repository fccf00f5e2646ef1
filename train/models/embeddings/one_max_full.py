"""Embed-1Max of the CIFAR and event models: the second convolution sees the full size."""

from __future__ import annotations

from spikeport.train.models.embeddings.base import ShortcutEmbedding
from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("1max_full")
class EmbedOneMaxFull(ShortcutEmbedding):
    """Embed, Max-Embed, and a 1 x 1 shortcut of stride 2. Half the height and width.

    Two networks carry the published name Embed-1Max; the other is `EmbedOneMaxHalf`.
    """

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__(
            embed1=Embed(in_channels, dim),
            max_embed1=Embed(dim, dim, pool="max"),
            embed2=Projection(in_channels, dim, kernel=1, stride=2),
        )
