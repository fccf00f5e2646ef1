"""MLP of Spikformer."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.spikformer.layers import SpikingLayers


class SpikingMlp(SpikingLayers):
    """LIF(BN(layer(LIF(BN(layer(x)))))); see `SpikingLayers` for `kind`."""

    def __init__(self, dim: int, hidden: int, kind: str) -> None:
        super().__init__(kind)
        self.add("fc1", dim, hidden)
        self.add("fc2", hidden, dim)

    def forward(self, x: Tensor) -> Tensor:
        return self.fire("fc2", self.fire("fc1", x))
