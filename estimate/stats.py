"""Mean, spread and 95 % interval of a figure over samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry

Method = Literal["normal", "student", "bootstrap"]
LEVEL = 0.95
Z = NormalDist().inv_cdf(0.5 + LEVEL / 2)
RESAMPLES = 1000
WIDE = 0.05
"""An interval wider than this share of its mean (an accuracy's: than this) deserves a warning."""

Resampled = Callable[[], npt.NDArray[np.float64]]
"""Means of resamples, drawn when asked for."""

Interval = Callable[[float, float, int, Resampled], tuple[float, float]]
"""(mean, standard deviation, samples, means of resamples) -> ends of the interval."""

INTERVALS: Registry[Interval] = Registry("interval method")


@dataclass(frozen=True)
class Statistics:
    """Statistics of one figure, in the figure's unit.

    Attributes:
        mean: over the samples.
        std: standard deviation with n - 1; None for one sample.
        low: lower end of the 95 % interval of the mean; None for one sample.
        high: upper end.
        samples: n.
        method: how the interval was found.
    """

    mean: float
    std: float | None
    low: float | None
    high: float | None
    samples: int
    method: Method

    @property
    def width(self) -> float | None:
        """Width of the interval as a share of the mean; None where there is none."""
        if self.low is None or self.high is None or not self.mean:
            return None
        return (self.high - self.low) / abs(self.mean)


def statistics(values: npt.ArrayLike, method: Method = "normal", *, seed: int = 0) -> Statistics:
    """Statistics of a figure, one value per sample; the order of the samples does not matter.

    Args:
        values: `[samples]`.
        method: "normal" (mean -+ 1.96 std / sqrt(n)), "student" (the same with the quantile of
            Student's t, for a handful of values) or "bootstrap" (percentiles of the means of 1000
            resamples).
        seed: of the resampling.

    Raises:
        UsageError: no values, or values that are not finite.
        UnknownNameError: no interval method has this name.
    """
    # Sorted, so that rounding and resampling do not depend on the order of the samples.
    data = np.sort(np.asarray(values, dtype=np.float64))
    if data.ndim != 1 or not len(data) or not np.isfinite(data).all():
        raise UsageError("statistics need one finite value per sample and at least one sample.")
    mean = math.fsum(data.tolist()) / len(data)
    spread = math.fsum(((data - mean) ** 2).tolist()) / max(len(data) - 1, 1)
    return summary(mean, spread, len(data), lambda: _resampled(data, seed), method)


def summary(
    mean: float, variance: float, samples: int, resampled: Resampled, method: Method
) -> Statistics:
    """Statistics from moments and resamples.

    Raises:
        UnknownNameError: no interval method has this name.
    """
    interval = INTERVALS[method]
    if samples == 1:
        return Statistics(mean, None, None, None, 1, method)
    std = math.sqrt(variance)
    low, high = interval(mean, std, samples, resampled)
    return Statistics(mean, std, low, high, samples, method)


@INTERVALS.register("normal")
def _normal(mean: float, std: float, samples: int, resampled: Resampled) -> tuple[float, float]:
    half = Z * std / math.sqrt(samples)
    return mean - half, mean + half


@INTERVALS.register("student")
def _student(mean: float, std: float, samples: int, resampled: Resampled) -> tuple[float, float]:
    # Takes a while to import.
    from scipy.stats import t

    half = float(t.ppf(0.5 + LEVEL / 2, samples - 1)) * std / math.sqrt(samples)
    return mean - half, mean + half


@INTERVALS.register("bootstrap")
def _bootstrap(mean: float, std: float, samples: int, resampled: Resampled) -> tuple[float, float]:
    # Resamples of a constant differ by rounding only.
    if not std:
        return mean, mean
    low, high = np.quantile(resampled(), [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)


def wilson(hits: int, count: int) -> tuple[float, float]:
    """95 % interval of a share, by its score (E. B. Wilson, J. Am. Stat. Assoc. 22, 1927).

    Unlike resampling it does not claim certainty where every sample, or none, was a hit.

    Args:
        hits: of `count`, at least 1.
    """
    share, z2 = hits / count, Z**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(share * (1 - share) * z2 / count + (z2 / (2 * count)) ** 2) / (1 + z2 / count)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Share:
    """Hits among samples.

    Attributes:
        hits: of `count`.
        count: samples, at least 1.
    """

    hits: int
    count: int

    @property
    def value(self) -> float:
        """0 to 1."""
        return self.hits / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % interval, see `wilson`."""
        return wilson(self.hits, self.count)


def _resampled(data: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.float64]:
    draw = np.random.default_rng(seed)
    # One resample at a time: memory stays at one copy of the data.
    means = [data[draw.integers(len(data), size=len(data))].mean() for _ in range(RESAMPLES)]
    return np.array(means)
