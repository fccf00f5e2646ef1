"""The unit that the patch embeddings are made of."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.embeddings.projection import Pool, Projection
from spikeport.train.models.neuron import lif


class Embed(Projection):
    """Embed: BN(Conv(LIF(x))); with `pool="max"` Max-Embed: MaxPool(BN(Conv(LIF(x)))).

    A block whose shortcut reads the same spikes calls `embed_lif` and `project` one after the
    other instead of the whole.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        pool: Pool | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel=kernel, stride=stride, pool=pool)
        self.embed_lif = lif()

    def forward(self, x: Tensor) -> Tensor:
        return self.project(self.embed_lif(x))
