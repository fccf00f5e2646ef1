"""Where the image is while the eye moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Corners of the path of N-MNIST (Orchard et al., Front. Neurosci. 9:437, 2015): isosceles, as wide
# as high, and back to the start; here in units of half its width, around the middle.
_CORNERS = np.array([[-1.0, -1.0], [0.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
SACCADES = len(_CORNERS) - 1


@dataclass(frozen=True)
class SaccadeSettings:
    """How images move.

    Attributes:
        duration_us: time of each of the three saccades, in us (N-MNIST: 100 ms).
        amplitude: half the width of the triangle, in pixels.
        amplitude_spread: standard deviation of the amplitude between recordings, relative.
        offset_spread: standard deviation of the middle of the path, in pixels.
    """

    duration_us: int = 100_000
    amplitude: float = 2.0
    amplitude_spread: float = 0.1
    offset_spread: float = 0.5

    @property
    def total_us(self) -> int:
        return SACCADES * self.duration_us


def saccade_path(
    settings: SaccadeSettings, step_us: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw one recording's path: the (x, y) shift in pixels at every multiple of `step_us`.

    Each saccade starts and ends at rest (u -> 3 u^2 - 2 u^3 along the side of the triangle).

    Returns:
        `[total_us / step_us + 1, 2]`
    """
    time = np.arange(0, settings.total_us + 1, step_us) / settings.duration_us
    side = np.minimum(time.astype(int), SACCADES - 1)
    u = (time - side)[:, None]
    corners = _CORNERS[side] + (3 * u**2 - 2 * u**3) * (_CORNERS[side + 1] - _CORNERS[side])
    scale, right, down = rng.standard_normal(3)
    amplitude = settings.amplitude * (1 + settings.amplitude_spread * scale)
    path: NDArray[np.float64] = amplitude * corners + settings.offset_spread * np.array(
        [right, down]
    )
    return path.astype(np.float32)
