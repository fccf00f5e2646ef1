"""Parts that the attention mixers share."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.neuron import lif
from spikeport.train.models.steps import per_step


def split_heads(x: Tensor, heads: int) -> Tensor:
    """`[T, B, C, N]` -> `[T, B, heads, C / heads, N]`; heads are contiguous groups of channels."""
    steps, batch, channels, tokens = x.shape
    return x.reshape(steps, batch, heads, channels // heads, tokens)


class SpikingProjections(nn.Module):
    """Base of attention mixers: q, k, ... = LIF(BN(Conv1x1(spikes))), and proj = BN(Conv1x1(.)).

    The names (`q_conv`, `q_bn`, `q_lif`, ..., `proj_conv`, `proj_bn`) are those of the published
    weights.
    """

    def __init__(self, dim: int, heads: int, projections: str) -> None:
        super().__init__()
        self.heads = heads
        for name in projections:
            self.add_module(f"{name}_conv", nn.Conv1d(dim, dim, 1, bias=False))
            self.add_module(f"{name}_bn", nn.BatchNorm1d(dim))
            self.add_module(f"{name}_lif", lif())
        self.attn_lif = lif(threshold=0.5)
        self.proj_conv = nn.Conv1d(dim, dim, 1)
        self.proj_bn = nn.BatchNorm1d(dim)

    def project_in(self, name: str, spikes: Tensor) -> Tensor:
        """Spikes `[T, B, C, N]` to the spikes of projection `name`, split into heads."""
        conv, bn, neuron = (self.get_submodule(f"{name}_{kind}") for kind in ("conv", "bn", "lif"))
        projected: Tensor = neuron(per_step(lambda s: bn(conv(s)), spikes))
        return split_heads(projected, self.heads)

    def project_out(self, spikes: Tensor) -> Tensor:
        """Spikes `[T, B, C, N]` to currents of that shape."""
        return per_step(lambda s: self.proj_bn(self.proj_conv(s)), spikes)
