"""Time surfaces: when each pixel last saw an event."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeport.train.data.recordings import Events


class TimeSurface:
    """exp(-(t - t_last) / tau) for each pixel and polarity, 0 where none ever came.

    Of the whole sensor, at the end of a window (Lagorce et al., HOTS, IEEE TPAMI 39, 2017).

    Args:
        sensor: (width, height).
        tau_us: time constant.
    """

    def __init__(self, sensor: tuple[int, int], tau_us: float) -> None:
        width, height = sensor
        self.tau_us = tau_us
        self._last = np.full((2, height, width), -np.inf)

    def add(self, events: Events) -> None:
        """Take a slice of events in order of time."""
        # Of several events of a pixel the latest counts: times ascend.
        np.maximum.at(self._last, (events["p"].astype(np.intp), events["y"], events["x"]),
                      events["t"].astype(np.float64))  # fmt: skip

    def at(self, us: int) -> NDArray[np.float64]:
        """The surface `[2, H, W]` (OFF, ON) at a time that no event is behind, from 0 to 1."""
        surface: NDArray[np.float64] = np.exp((self._last - us) / self.tau_us)
        return surface
