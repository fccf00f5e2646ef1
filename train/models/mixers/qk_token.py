"""Token attention of QKFormer with a membrane shortcut."""

from __future__ import annotations

from torch import Tensor

from spikeport.train.models.mixers.heads import SpikingProjections
from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.neuron import lif


@mixer("qk_token", slot="attn")
class QkTokenAttention(SpikingProjections):
    """x + BN(Conv(a k)) with a = LIF(sum of q over the channels of a head), threshold 0.5.

    q, k = LIF(BN(Conv(LIF(x)))); each head tells for each token whether its k passes
    (QKFormer, arXiv 2403.16552, token attention). `[T, B, C, H, W]` both ways. The neurons that
    read x are called `proj_lif`, as in the published model, although they run first.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(dim, heads, "qk")
        self.proj_lif = lif()

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.proj_lif(x).flatten(3)
        q, k = (self.project_in(name, spikes) for name in "qk")
        passes: Tensor = self.attn_lif(q.sum(3, keepdim=True))
        return x + self.project_out((passes * k).flatten(2, 3)).reshape(x.shape)
