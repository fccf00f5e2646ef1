"""Block of Spikformer."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.spikformer.attention import (
    ConvAttention,
    EventAttention,
    TokenAttention,
)
from spikeport.train.models.spikformer.mlp import SpikingMlp
from spikeport.train.models.spikformer.options import SpikformerOptions

_ATTENTION = {"cifar": TokenAttention, "event": EventAttention, "imagenet": ConvAttention}
_MLP_KIND = {"cifar": "linear", "event": "conv1d", "imagenet": "conv2d"}


class SpikformerBlock(nn.Module):
    """y = x + attention(x); y + MLP(y): sums of spikes, whole numbers that grow with depth.

    The layer norms stand in the published weights, never run, and so do not learn.
    """

    def __init__(self, options: SpikformerOptions) -> None:
        super().__init__()
        dim = options.dim
        self.norm1 = nn.LayerNorm(dim).requires_grad_(False)
        self.attn = _ATTENTION[options.version](dim, options.heads)
        self.norm2 = nn.LayerNorm(dim).requires_grad_(False)
        self.mlp = SpikingMlp(dim, int(dim * options.mlp_ratio), _MLP_KIND[options.version])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        mixed: Tensor = x + self.mlp(x)
        return mixed
