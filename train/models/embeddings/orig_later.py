"""Embed-Orig behind the first stage: a strided convolution where Embed-Max has a maximum."""

from __future__ import annotations

from spikeport.train.models.embeddings.base import ShortcutEmbedding
from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("orig_later")
class EmbedOrigLater(ShortcutEmbedding):
    """Embed, Embed of stride 2, and a 1 x 1 shortcut of stride 2. Half the height and width."""

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__(
            embed1=Embed(in_channels, dim),
            orig_embed1=Embed(dim, dim, stride=2),
            embed2=Projection(in_channels, dim, kernel=1, stride=2),
        )
