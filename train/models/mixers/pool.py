"""Pooling of the membrane as a token mixer."""

from __future__ import annotations

from torch import Tensor, nn

from spikeport.train.models.mixers.registry import mixer
from spikeport.train.models.steps import per_step


class PoolMixer(nn.Module):
    """Pool(x) on membranes: no neuron and no shortcut of its own. `[T, B, C, H, W]` both ways."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        return per_step(self.pool, x)


@mixer("max_pool")
class MaxPoolMixer(PoolMixer):
    """Largest of 3 x 3 neighbours."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(nn.MaxPool2d(3, stride=1, padding=1))


@mixer("avg_pool")
class AvgPoolMixer(PoolMixer):
    """Mean of 3 x 3 neighbours; padding does not count, so the divisors are 4, 6 and 9."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__(nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False))
