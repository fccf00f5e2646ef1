"""The two kinds of block; they differ in the name of their token mixer only."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.attention import SpikingSelfAttention
from spikeport.train.models.dwc_mixer import DepthwiseMixer
from spikeport.train.models.mlp import Mlp


class DepthwiseBlock(nn.Module):
    """Depth-wise mixer, then MLP. `[T, B, C, H, W]` both ways."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.mixer = DepthwiseMixer(dim)
        self.mlp = Mlp(dim, hidden)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mlp(self.mixer(x))
        return mixed


class AttentionBlock(nn.Module):
    """Spiking self-attention, then MLP. `[T, B, C, H, W]` both ways."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.attn = SpikingSelfAttention(dim, heads)
        self.mlp = Mlp(dim, hidden)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mlp(self.attn(x))
        return mixed
