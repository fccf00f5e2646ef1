"""Fast gradient sign method (I. Goodfellow et al., arXiv 1412.6572)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor

from spikeport.train.attacks.registry import attack
from spikeport.train.attacks.spaces import Victim


@attack("fgsm", "one step along the sign of the gradient", "eps", (0.025, 0.05, 0.1, 0.2, 0.3))
def fgsm(
    victim: Victim,
    x: Tensor,
    labels: Tensor,
    indices: Sequence[int],
    levels: Sequence[float],
    seed: int,
) -> Iterator[Tensor]:
    """x' = clamp(x + eps sign(dL/dx), 0, 1) for each eps in `levels`; L the cross entropy."""
    sign = victim.gradient(x, labels).sign()
    for eps in levels:
        yield (x + eps * sign).clamp(0, 1)
