"""The unit that both patch embeddings are made of."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.neuron import lif
from spikeport.train.models.projection import Projection


class Embed(Projection):
    """Embed: BN(Conv(LIF(x))); with `pool=True` Max-Embed: MaxPool(BN(Conv(LIF(x)))).

    A block whose shortcut reads the same spikes calls `embed_lif` and `project` one after the
    other instead of the whole.
    """

    def __init__(self, in_channels: int, out_channels: int, *, pool: bool = False) -> None:
        super().__init__(in_channels, out_channels, pool=pool)
        self.embed_lif = lif()

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.embed_lif(x))
