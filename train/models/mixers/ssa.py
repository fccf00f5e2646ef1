"""Spiking self-attention, token mixer of the last stage."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.mixers.heads import SpikingProjections
from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.neuron import lif

# Fixed by arXiv 2505.18608 for every model; it does not follow the width of a head.
SCALE = 0.125


@mixer("ssa", slot="attn")
class SpikingSelfAttention(SpikingProjections):
    """x + BN(Conv(LIF(q (k^T v) / 8))) with q, k, v = LIF(BN(Conv(LIF(x)))), no softmax.

    `[T, B, C, H, W]` both ways; heads are contiguous groups of C / heads channels. q, k and v are
    spikes, so the products before scaling are whole numbers.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads, "qkv")
        self.x_lif = lif()

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attend(x)

    def attend(self, x: Tensor) -> Tensor:
        """Membranes to currents, without the shortcut."""
        spikes = self.x_lif(x).flatten(3)
        q, k, v = (self.project_in(name, spikes) for name in "qkv")
        # q (k^T v), transposed because the channels come before the tokens here.
        mixed = ((v @ k.transpose(-2, -1)) @ q) * SCALE
        return self.project_out(self.attn_lif(mixed.flatten(2, 3))).reshape(x.shape)
