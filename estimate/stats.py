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

Method = Literal["normal", "bootstrap"]
LEVEL = 0.95
RESAMPLES = 1000

Interval = Callable[[npt.NDArray[np.float64], float, float, int], tuple[float, float]]
"""(sorted values, their mean, their standard deviation, seed) -> ends of the interval."""

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


def statistics(values: npt.ArrayLike, method: Method = "normal", *, seed: int = 0) -> Statistics:
    """Statistics of a figure, one value per sample; the order of the samples does not matter.

    Args:
        values: `[samples]`.
        method: "normal" (mean -+ 1.96 std / sqrt(n)) or "bootstrap" (percentiles of the means of
            1000 resamples).
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
    if len(data) == 1:
        return Statistics(mean, None, None, None, 1, method)
    std = math.sqrt(math.fsum(((data - mean) ** 2).tolist()) / (len(data) - 1))
    low, high = INTERVALS[method](data, mean, std, seed)
    return Statistics(mean, std, low, high, len(data), method)


@INTERVALS.register("normal")
def _normal(
    data: npt.NDArray[np.float64], mean: float, std: float, seed: int
) -> tuple[float, float]:
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * std / math.sqrt(len(data))
    return mean - half, mean + half


@INTERVALS.register("bootstrap")
def _bootstrap(
    data: npt.NDArray[np.float64], mean: float, std: float, seed: int
) -> tuple[float, float]:
    draw = np.random.default_rng(seed)
    # One resample at a time: memory stays at one copy of the data.
    means = [data[draw.integers(len(data), size=len(data))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(low), float(high)
