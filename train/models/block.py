"""A block: token mixer, then MLP."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.mixers import MIXERS
from spikeport.train.models.mlp import Mlp


class Block(nn.Module):
    """mlp(mixer(x)), both with their own membrane shortcuts. `[T, B, C, H, W]` both ways.

    Args:
        mixer: a key of `MIXERS`.
        dim: channels C.
        heads: attention heads, for mixers that have any.
        hidden: hidden width of the MLP.
    """

    def __init__(self, mixer: str, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        entry = MIXERS[mixer]
        self._slot = entry.slot
        self.add_module(entry.slot, entry.make(dim, heads))
        self.mlp = Mlp(dim, hidden)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mlp(self.get_submodule(self._slot)(x))
        return mixed
