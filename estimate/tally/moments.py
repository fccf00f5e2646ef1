"""Exact sums of products of counts, so that standard deviations need no sample again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from spikeport.core.errors import UsageError
from spikeport.estimate.tally.exact import Counts, exact_product

MAX_COUNT = 1 << 40
"""Largest count of one node and sample, below which all sums here stay exact."""
MAX_SAMPLES = 1 << 22
_DIGIT = 20
# 4096 products of two 20-bit digits stay below 2^53.
_CHUNK = 4096


class Moments:
    """Sums over samples of count i times count j, as whole numbers.

    Counts are cut into two digits of 20 bits, whose products are summed as float64 matrix products
    (exact below 2^53) and kept in int64: three arrays `[K, K]` for K counts, 24 K^2 bytes, whatever
    the number of samples.
    """

    def __init__(self, columns: int) -> None:
        self.digits = np.zeros((3, columns, columns), dtype=np.int64)

    def add(self, counts: Counts) -> None:
        """Add samples `[B, K]`."""
        for start in range(0, len(counts), _CHUNK):
            part = counts[start : start + _CHUNK]
            high, low = part >> _DIGIT, part & ((1 << _DIGIT) - 1)
            for total, (left, right) in zip(
                self.digits, ((low, low), (low, high), (high, high)), strict=True
            ):
                total += exact_product(left, right)

    def products(self, columns: list[int]) -> npt.NDArray[Any]:
        """Python integers `[n, n]` for the chosen counts."""
        chosen = np.ix_(columns, columns)
        low, mixed, high = (each[chosen].astype(object) for each in self.digits)
        result: npt.NDArray[Any] = low + ((mixed + mixed.T) << _DIGIT) + (high << (2 * _DIGIT))
        return result


def check_range(counts: Counts, samples: int) -> None:
    """Refuse what could overflow: never a wrong sum.

    Raises:
        UsageError: a count or the number of samples is too large.
    """
    if samples > MAX_SAMPLES or (counts.size and int(counts.max()) >= MAX_COUNT):
        raise UsageError(
            f"counts of 2^40 per layer and sample, or more than {MAX_SAMPLES:,} samples, do not "
            "fit into exact sums.",
            where="tally",
            fix="Count fewer samples in one tally.",
        )
