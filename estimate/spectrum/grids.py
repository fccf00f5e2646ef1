"""Frequencies of a map and of a sequence, and which of them are high.

A map of H x W samples has the frequencies ky / H and kx / W in cycles per position, |k| up to half
the size; Nyquist is 1/2. The radius of a frequency is sqrt((2 ky / H)^2 + (2 kx / W)^2): 1 at
Nyquist along an axis, sqrt 2 in the corners. A sequence of T samples has the frequencies k / T in
cycles per step.

High is what lies above half of Nyquist: a radius above 1/2, or k / T above 1/4. A frequency exactly
there is low. The constant part (DC) is neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Grid:
    """The frequencies of one size of map or sequence, in the order of `rfft2` or `rfft`.

    Attributes:
        radius: of each frequency, 1 at Nyquist; `[H, W // 2 + 1]` or `[T // 2 + 1]`.
        weights: how many of the frequencies of a full transform each stands for.
        high: which are above half of Nyquist.
        moving: which are not DC.
        rings: to which ring, or point of the curve, each belongs; 0 holds DC alone.
    """

    radius: Floats
    weights: Floats
    high: Mask
    moving: Mask
    rings: npt.NDArray[np.int64]

    @property
    def tells(self) -> bool:
        """Whether there are both high and low frequencies, so that a share says something."""
        return bool(self.high.any()) and bool((self.moving & ~self.high).any())

    @property
    def white(self) -> float | None:
        """The high-frequency share of white noise: the share of frequencies that are high."""
        if not self.tells:
            return None
        return float(self.weights[self.high].sum() / self.weights[self.moving].sum())

    def averaged(self, power: Floats) -> tuple[Floats, Floats]:
        """Mean power of the frequencies of each ring, and their mean radius, ring 0 first."""
        sizes = np.bincount(self.rings.ravel(), self.weights.ravel())
        used = sizes > 0
        sums, radii = (
            np.bincount(self.rings.ravel(), (self.weights * each).ravel())[used] / sizes[used]
            for each in (power, self.radius)
        )
        return sums, radii

    def sizes(self) -> Floats:
        """How many frequencies of the full transform each ring of `averaged` holds."""
        sizes = np.bincount(self.rings.ravel(), self.weights.ravel())
        return sizes[sizes > 0].astype(np.float64)


@lru_cache(maxsize=256)
def map_grid(height: int, width: int) -> Grid:
    """Of maps `[H, W]`. Rings are as wide as one frequency of the longer side."""
    rows, columns = np.abs(_whole(height))[:, None], np.arange(width // 2 + 1)[None, :]
    radius = np.hypot(2 * rows / height, 2 * columns / width)
    # In whole numbers, so that rounding does not decide about a radius of exactly 1/2.
    squares = (rows * width) ** 2 + (columns * height) ** 2
    moving = squares > 0
    rings = np.rint(radius * max(1, max(height, width) // 2)).astype(np.int64)
    # Beside a short side no other frequency rounds to ring 0, but odd sizes come near.
    rings[moving & (rings == 0)] = 1
    return Grid(
        radius=radius,
        weights=np.broadcast_to(_times(width), radius.shape),
        high=16 * squares > (height * width) ** 2,
        moving=moving,
        rings=rings,
    )


@lru_cache(maxsize=256)
def step_grid(steps: int) -> Grid:
    """Of sequences of T steps, as `rfft` has them: k = 0 .. T // 2."""
    k = np.arange(steps // 2 + 1, dtype=np.int64)
    return Grid(
        radius=2 * k / steps,
        weights=_times(steps),
        high=4 * k > steps,
        moving=k > 0,
        rings=k,
    )


def _times(size: int) -> Floats:
    """How many frequencies of `fft` those of `rfft` stand for: each but DC and Nyquist for two."""
    k = np.arange(size // 2 + 1)
    return np.where((k == 0) | (2 * k == size), 1.0, 2.0)


def _whole(size: int) -> npt.NDArray[np.int64]:
    """k of each frequency in the order of `fft`: 0, 1, .., -2, -1."""
    k = np.arange(size, dtype=np.int64)
    return np.where(2 * k > size, k - size, k)
