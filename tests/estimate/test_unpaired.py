"""Two networks of which only totals are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeport.core.errors import UsageError
from spikeport.estimate.stats import Share
from spikeport.estimate.unpaired import difference_interval, unpaired


def shares(most: int = 12) -> st.SearchStrategy[Share]:
    return st.integers(1, most).flatmap(
        lambda count: st.integers(0, count).map(lambda hits: Share(hits, count))
    )


def test_the_interval_is_the_published_one() -> None:
    # Newcombe's own example: 56 of 70 against 48 of 80, 0.0524 to 0.3339 (Table II, method 10).
    found = unpaired(Share(48, 80), Share(56, 70))
    assert found.difference == pytest.approx(0.2)
    assert found.interval == pytest.approx((0.0524, 0.3339), abs=5e-5)


@given(shares(), shares())
def test_p_is_that_of_all_tables_with_the_same_totals(first: Share, second: Share) -> None:
    right = first.hits + second.hits
    ways = {
        k: math.comb(first.count, k) * math.comb(second.count, right - k)
        for k in range(first.count + 1)
        if 0 <= right - k <= second.count
    }
    rare = sum(each for each in ways.values() if each <= ways[first.hits])
    assert unpaired(first, second).p_value == pytest.approx(rare / sum(ways.values()))


@given(shares(), shares())
def test_the_interval_holds_the_difference_and_turns_round(first: Share, second: Share) -> None:
    one, other = unpaired(first, second), unpaired(second, first)
    low, high = one.interval
    assert -1 <= low <= one.difference <= high <= 1
    assert other.interval == pytest.approx((-high, -low))


def test_normal_intervals_give_the_normal_one_of_the_difference() -> None:
    low, high = difference_interval(5.0, (2.0, 8.0), 1.0, (-3.0, 5.0))
    assert (low, high) == (-9.0, 1.0)


def test_many_samples_are_quick_and_do_not_overflow() -> None:
    found = unpaired(Share(38_000, 50_000), Share(38_400, 50_000))
    assert 0.002 < found.p_value < 0.006
    assert unpaired(Share(0, 50_000), Share(50_000, 50_000)).p_value == 0.0


def test_no_samples_are_refused() -> None:
    with pytest.raises(UsageError, match="0 and 3 samples"):
        unpaired(Share(0, 0), Share(1, 3))
