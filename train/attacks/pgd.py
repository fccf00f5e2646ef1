"""Projected gradient descent (A. Madry et al., arXiv 1706.06083)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from spikeport.train.attacks.registry import attack
from spikeport.train.attacks.spaces import Victim

EPS, STEP = 8 / 255, 2 / 255


@attack(
    "pgd",
    "steps of 2/255 along the sign of the gradient, within 8/255, from a random start",
    "iterations",
    (5, 10, 30, 50),
    whole=True,
)
def pgd(
    victim: Victim,
    x: Tensor,
    labels: Tensor,
    indices: Sequence[int],
    levels: Sequence[float],
    seed: int,
) -> Iterator[Tensor]:
    """One run from `random_start`, seen after each number of iterations in `levels`.

    x[k + 1] = project(x[k] + step sign(dL/dx[k])), L the cross entropy.
    """
    current, done = random_start(x, EPS, indices, seed), 0
    for iterations in levels:
        while done < iterations:
            moved = current + STEP * victim.gradient(current, labels).sign()
            current, done = project(moved, x, EPS), done + 1
        yield current


def project(moved: Tensor, x: Tensor, eps: float) -> Tensor:
    """The nearest point within `eps` of `x` in each value, and then within 0 to 1."""
    return (x + (moved - x).clamp(-eps, eps)).clamp(0, 1)


def random_start(x: Tensor, eps: float, indices: Sequence[int], seed: int) -> Tensor:
    """Each sample moved by uniform noise of up to `eps`, then cut to 0 to 1.

    Noise follows from the seed and the index of the sample: batches make no difference.
    """
    shape = tuple(x.shape[1:])
    noise = [
        np.random.default_rng([seed, index]).uniform(-eps, eps, size=shape) for index in indices
    ]
    return (x + torch.from_numpy(np.stack(noise)).to(x.dtype)).clamp(0, 1)
