"""Embed-Avg: Embed-Max with averages in place of the maxima."""

from __future__ import annotations

from spikeport.train.models.embeddings.base import ShortcutEmbedding
from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.registry import EMBEDDINGS
from spikeport.train.models.embeddings.unit import Embed


@EMBEDDINGS.register("avg")
class EmbedAvg(ShortcutEmbedding):
    """Avg-Embed, Embed, and an averaged 1 x 1 shortcut. Half the height and width."""

    def __init__(self, in_channels: int, dim: int) -> None:
        super().__init__(
            avg_embed1=Embed(in_channels, dim, pool="avg"),
            embed1=Embed(dim, dim),
            avg_embed2=Projection(in_channels, dim, kernel=1, pool="avg"),
        )
