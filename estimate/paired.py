"""Two networks on the same samples: is one right more often?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from spikeport.core.errors import UsageError
from spikeport.estimate.stats import Z


@dataclass(frozen=True)
class Paired:
    """The second network against the first.

    Attributes:
        gained: samples that only the second gets right.
        lost: samples that only the first gets right.
        count: samples.
    """

    gained: int
    lost: int
    count: int

    @property
    def difference(self) -> float:
        """Accuracy of the second minus that of the first."""
        return (self.gained - self.lost) / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference: Wald's with 1/2 added to each of the four cells
        (A. Agresti and Y. Min, Stat. Med. 24, 2005)."""
        n, b, c = self.count + 2, self.gained + 0.5, self.lost + 0.5
        middle = (b - c) / n
        half = Z * math.sqrt((b + c) - (b - c) ** 2 / n) / n
        return max(-1.0, middle - half), min(1.0, middle + half)

    @property
    def p_value(self) -> float:
        """Exact McNemar test: chance of a split as uneven, if both were as good."""
        changed = self.gained + self.lost
        # Each binomial from the one before: thousands of them from scratch take seconds.
        ways, each = 0, 1
        for k in range(min(self.gained, self.lost) + 1):
            ways += each
            each = each * (changed - k) // (k + 1)
        return min(1.0, float(2 * ways / 2**changed))


def paired(first: Sequence[bool], second: Sequence[bool]) -> Paired:
    """Compare two networks by whether they were right, sample by sample.

    Raises:
        UsageError: there is no sample, or they saw different numbers of them.
    """
    if not first or len(first) != len(second):
        raise UsageError(
            f"{len(first)} and {len(second)} samples cannot be paired.",
            where="paired",
            fix="Run both networks on the same samples.",
        )
    split = list(zip(first, second, strict=True))
    gained = sum(b and not a for a, b in split)
    return Paired(gained, sum(a and not b for a, b in split), len(split))
