"""Two figures that were measured on their own, not sample by sample beside each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spikeport.core.errors import UsageError
from spikeport.estimate.stats import Share

_TIE = 1 + 1e-7
"""Tables as likely as the one that was seen count as such, whatever rounding does."""

Ends = tuple[float, float]


def difference_interval(first: float, ends: Ends, second: float, others: Ends) -> Ends:
    """95 % interval of `second - first` from the 95 % interval of each, if they are independent.

    The distances to the ends are put together as the sides of a right angle: for shares with
    Wilson's interval this is method 10 of R. G. Newcombe (Stat. Med. 17, 1998), for other figures
    the method of G. Y. Zou and A. Donner (Stat. Med. 27, 2008).

    Args:
        first, second: figures in one unit.
        ends, others: lower and upper end of each.
    """
    difference = second - first
    below = math.hypot(second - others[0], ends[1] - first)
    above = math.hypot(others[1] - second, first - ends[0])
    return difference - below, difference + above


@dataclass(frozen=True)
class Unpaired:
    """Shares of right samples of two networks.

    Attributes:
        first, second: of each; the samples may be others.
    """

    first: Share
    second: Share

    @property
    def difference(self) -> float:
        """Accuracy of the second minus that of the first."""
        return self.second.value - self.first.value

    @property
    def interval(self) -> Ends:
        """95 % interval of the difference, see `difference_interval`."""
        low, high = difference_interval(
            self.first.value, self.first.interval, self.second.value, self.second.interval
        )
        return max(-1.0, low), min(1.0, high)

    @property
    def p_value(self) -> float:
        """Fisher's exact test, two-sided: chance of a table no more likely than this one."""
        one, two = self.first, self.second
        right = one.hits + two.hits
        least, most = max(0, right - two.count), min(right, one.count)
        chances = [
            _log_ways(one.count, k) + _log_ways(two.count, right - k)
            for k in range(least, most + 1)
        ]
        largest = max(chances)
        weights = [math.exp(each - largest) for each in chances]
        seen = weights[one.hits - least] * _TIE
        return min(1.0, math.fsum(w for w in weights if w <= seen) / math.fsum(weights))


def unpaired(first: Share, second: Share) -> Unpaired:
    """Compare two networks of which only totals are known.

    Raises:
        UsageError: one of them saw no sample.
    """
    if not first.count or not second.count:
        raise UsageError(
            f"{first.count} and {second.count} samples cannot be compared.",
            where="unpaired",
            fix="Run both networks on samples.",
        )
    return Unpaired(first, second)


def _log_ways(count: int, chosen: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)
