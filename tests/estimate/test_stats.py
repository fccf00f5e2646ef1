"""Statistics over samples."""

from __future__ import annotations

import math
import statistics as plain

import numpy as np
import pytest

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.estimate import statistics
from spikeport.estimate.stats import wilson


def test_normal_interval() -> None:
    values = [1.0, 2.0, 4.0, 7.0]
    found = statistics(values)
    assert found.mean == plain.mean(values)
    assert found.std == pytest.approx(plain.stdev(values))
    half = 1.959963984540054 * plain.stdev(values) / 2
    assert found.low == pytest.approx(3.5 - half)
    assert found.high == pytest.approx(3.5 + half)
    assert (found.samples, found.method) == (4, "normal")


def test_interval_of_a_handful_of_values() -> None:
    """Quantiles of Student's t: 12.706 for two values, 4.303 for three."""
    for values, quantile in (([1.0, 2.0], 12.7062047), ([1.0, 2.0, 4.0], 4.3026527)):
        found = statistics(values, "student")
        half = quantile * plain.stdev(values) / math.sqrt(len(values))
        assert found.low == pytest.approx(found.mean - half)
        assert found.high == pytest.approx(found.mean + half)
    assert statistics([1.0], "student").low is None


def test_bootstrap_is_seeded_and_ignores_order() -> None:
    values = np.random.default_rng(0).exponential(size=50)
    first = statistics(values, "bootstrap", seed=3)
    assert first == statistics(values[::-1], "bootstrap", seed=3)
    assert first != statistics(values, "bootstrap", seed=4)
    assert first.low is not None
    assert first.high is not None
    assert values.min() < first.low < first.mean < first.high < values.max()
    normal = statistics(values)
    assert normal.low is not None
    assert first.low == pytest.approx(normal.low, rel=0.1)


def test_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    draw = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        found = statistics(draw.normal(5.0, 2.0, size=60))
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 5.0 <= found.high
    assert 0.92 < inside / 400 < 0.98


def test_one_sample_has_no_interval() -> None:
    found = statistics([3.0])
    assert (found.mean, found.std, found.low, found.high) == (3.0, None, None, None)


def test_constant_figure() -> None:
    assert statistics([2.0] * 5).low == 2.0


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [math.inf], [[1.0], [2.0]]])
def test_refusals(values: list[float]) -> None:
    with pytest.raises(UsageError):
        statistics(values)


def test_unknown_method() -> None:
    with pytest.raises(UnknownNameError, match="bootstrap"):
        statistics([1.0, 2.0], "bootstrp")  # type: ignore[arg-type]


@pytest.mark.parametrize(("hits", "count"), [(0, 10), (5, 10), (10, 10), (1, 1), (997, 1000)])
def test_interval_of_a_share(hits: int, count: int) -> None:
    low, high = wilson(hits, count)
    share, z = hits / count, 1.959963984540054
    assert 0 <= low <= share <= high <= 1
    # By definition the ends are the shares that lie z standard errors of their own from what
    # was seen.
    for end in {low, high} - {0.0, 1.0}:
        assert abs(share - end) == pytest.approx(z * math.sqrt(end * (1 - end) / count))
    assert high - low > 0
