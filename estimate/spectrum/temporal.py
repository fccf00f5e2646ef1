"""Spectra along time of the values of one edge."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from spikeport.estimate.spectrum.grids import Floats, step_grid
from spikeport.estimate.spectrum.shares import Shares

_CHUNK = 1 << 21
"""Elements transformed at once."""


class StepSpectrum:
    """Mean over elements and samples of |R|^2, R = rfft over the T steps.

    Kept are T // 2 + 1 sums and one share per sample. T steps give T // 2 frequencies beside DC:
    for T = 4 one low (1/4 cycle per step) and one high (1/2).
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.grid = step_grid(steps)
        self.sequences = 0
        self.shares = Shares(self.grid)
        self._power = np.zeros(steps // 2 + 1)

    def add(self, value: Tensor) -> None:
        """Add `[T, B, *shape]`.

        Raises:
            ValueError: a value is not finite.
        """
        flat = value.flatten(2) if value.ndim > 2 else value.unsqueeze(2)
        for part in torch.split(flat, max(1, _CHUNK // max(flat[:, :1].numel(), 1)), dim=1):
            power = step_power(part)
            per_sample = power.sum(2)
            self.shares.add(per_sample.T)
            self._power += per_sample.sum(1).cpu().numpy()
        self.sequences += flat[0].numel()

    @property
    def power(self) -> Floats:
        """Mean |R|^2 / T^2 by frequency k / T, k = 0 .. T // 2.

        Each k but DC and Nyquist stands for two of a full transform: weighted so, its sum is the
        mean square of the values.
        """
        return self._power / self.sequences / self.steps**2


def step_power(value: Tensor) -> Tensor:
    """|rfft|^2 over the first axis in float64; a constant sequence has exactly none beside DC."""
    values = value.double()
    power = torch.view_as_real(torch.fft.rfft(values - values[:1], dim=0)).square_().sum(-1)
    power[0] = values.sum(0).square_()
    return power
