"""Two networks on the same samples."""

from __future__ import annotations

import itertools
import time
from statistics import NormalDist

import pytest

from spikeport.core.errors import UsageError
from spikeport.estimate.paired import Paired, paired


def test_counts_only_samples_on_which_they_differ() -> None:
    found = paired([True, True, False, False], [True, False, True, True])
    assert (found.gained, found.lost, found.count) == (2, 1, 4)
    assert found.difference == 0.25


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (3, 1), (5, 5), (2, 9)])
def test_p_is_that_of_all_coin_tosses(gained: int, lost: int) -> None:
    tosses = list(itertools.product((0, 1), repeat=gained + lost))
    even = abs(gained - lost)
    uneven = sum(abs(2 * sum(each) - len(each)) >= even for each in tosses)
    assert Paired(gained, lost, 100).p_value == pytest.approx(uneven / len(tosses))


def test_p_of_many_samples_is_exact_and_at_once() -> None:
    began = time.process_time()
    found = Paired(4950, 5050, 50_000).p_value
    assert time.process_time() - began < 1
    # Of 10,000 fair coins at most 4,950 heads, or as many tails: normal, with continuity.
    assert found == pytest.approx(2 * NormalDist(5000, 50).cdf(4950.5), rel=1e-4)


def test_the_interval_holds_the_difference_and_shrinks_with_samples() -> None:
    wide, narrow = Paired(4, 8, 100), Paired(40, 80, 1000)
    for each in (wide, narrow):
        low, high = each.interval
        assert low < each.difference < high
    assert narrow.interval[1] - narrow.interval[0] < wide.interval[1] - wide.interval[0]
    # Certainty is never claimed, not even where all answers are the same.
    low, high = Paired(0, 0, 100).interval
    assert low < 0 < high


def test_other_samples_are_refused() -> None:
    with pytest.raises(UsageError, match="same samples"):
        paired([True], [True, False])
    with pytest.raises(UsageError):
        paired([], [])
