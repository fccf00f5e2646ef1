"""Quantiles of any number of latencies in bounded memory."""

from __future__ import annotations

import math

import numpy as np

_SMALLEST, _RATIO, _BINS = 1e-7, 1.01, 2600
"""From 0.1 us to 17,000 s in steps of one percent."""


class Latencies:
    """A histogram with bins of one percent, and the largest value as it was."""

    def __init__(self) -> None:
        self._counts = np.zeros(_BINS, np.int64)
        self._largest = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        place = math.log(max(seconds, _SMALLEST) / _SMALLEST, _RATIO)
        self._counts[min(int(place), _BINS - 1)] += 1
        self._largest = max(self._largest, seconds)

    def quantile(self, share: float) -> float:
        """Seconds that this share of all did not exceed, within one percent."""
        place = int(np.searchsorted(np.cumsum(self._counts), share * self._counts.sum()))
        return float(min(_SMALLEST * _RATIO ** (place + 0.5), self._largest))

    def figures(self) -> dict[str, float]:
        """Quantiles 0.5 and 0.95, and the largest, in s."""
        return {"p50": self.quantile(0.5), "p95": self.quantile(0.95), "max": self._largest}
