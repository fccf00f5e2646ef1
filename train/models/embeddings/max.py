"""Embed-Max: patch embedding between the stages of a Max-Former."""

from __future__ import annotations

from spikeport.train.models.embeddings.base import ShortcutEmbedding
from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("max")
class EmbedMax(ShortcutEmbedding):
    """Max-Embed, Embed, and a pooled 1 x 1 shortcut. Half the height and width."""

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__(
            max_embed1=Embed(in_channels, dim, pool="max"),
            embed1=Embed(dim, dim),
            max_embed2=Projection(in_channels, dim, kernel=1, pool="max"),
        )
