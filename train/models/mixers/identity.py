"""No token mixing: the block is its MLP."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.mixers.registry import mixer


@mixer("identity")
class IdentityMixer(nn.Module):
    """x."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x
