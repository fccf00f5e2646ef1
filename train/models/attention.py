"""Token mixer of the second stage: spiking self-attention."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step

# Fixed by arXiv 2505.18608 for every model; it does not follow the width of a head.
SCALE = 0.125


class SpikingSelfAttention(nn.Module):
    """x + BN(Conv(LIF(q (k^T v) / 8))) with q, k, v = LIF(BN(Conv(LIF(x)))), no softmax.

    `[T, B, C, H, W]` both ways; heads are contiguous groups of C / heads channels. q, k and v are
    spikes, so the products before scaling are whole numbers.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.x_lif = lif()
        self.q_conv = nn.Conv1d(dim, dim, 1, bias=False)
        self.q_bn = nn.BatchNorm1d(dim)
        self.q_lif = lif()
        self.k_conv = nn.Conv1d(dim, dim, 1, bias=False)
        self.k_bn = nn.BatchNorm1d(dim)
        self.k_lif = lif()
        self.v_conv = nn.Conv1d(dim, dim, 1, bias=False)
        self.v_bn = nn.BatchNorm1d(dim)
        self.v_lif = lif()
        self.attn_lif = lif(threshold=0.5)
        self.proj_conv = nn.Conv1d(dim, dim, 1)
        self.proj_bn = nn.BatchNorm1d(dim)

    def forward(self, x: Tensor) -> Tensor:
        spikes = self.x_lif(x).flatten(3)
        q = self._heads(self.q_lif(per_step(lambda s: self.q_bn(self.q_conv(s)), spikes)))
        k = self._heads(self.k_lif(per_step(lambda s: self.k_bn(self.k_conv(s)), spikes)))
        v = self._heads(self.v_lif(per_step(lambda s: self.v_bn(self.v_conv(s)), spikes)))
        # q (k^T v), transposed because the channels come before the tokens here.
        mixed = ((v @ k.transpose(-2, -1)) @ q) * SCALE
        spikes = self.attn_lif(mixed.flatten(2, 3))
        currents = per_step(lambda s: self.proj_bn(self.proj_conv(s)), spikes)
        return x + currents.reshape(x.shape)

    def _heads(self, x: Tensor) -> Tensor:
        """`[T, B, C, N]` -> `[T, B, heads, C / heads, N]`."""
        steps, batch, channels, tokens = x.shape
        return x.reshape(steps, batch, self.heads, channels // self.heads, tokens)
