"""Spike-driven self-attention with a membrane shortcut."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.mixers.heads import SpikingProjections
from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.neuron import lif


@mixer("sdsa", slot="attn")
class SpikeDrivenSelfAttention(SpikingProjections):
    """x + BN(Conv(q a)) with a = LIF(sum of k v over the tokens), threshold 0.5: masks and sums.

    q, k, v = LIF(BN(Conv(LIF(x)))); each channel of q passes or not, the same for all tokens
    (Spike-driven Transformer, arXiv 2307.01694, eq. 13, first version). `[T, B, C, H, W]` both
    ways. How table 7 of arXiv 2505.18608 fits it in was not published; the places of the neurons
    follow its other attention mixers.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads, "qkv")
        self.x_lif = lif()

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.x_lif(x).flatten(3)
        q, k, v = (self.project_in(name, spikes) for name in "qkv")
        passes: Tensor = self.attn_lif((k * v).sum(4, keepdim=True))
        return x + self.project_out((q * passes).flatten(2, 3)).reshape(x.shape)
