"""Calibration, confusion and early exit, by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spikeport.core.errors import UsageError
from spikeport.estimate.evaluation.calibration import calibration
from spikeport.estimate.evaluation.confusion import confusion, per_class
from spikeport.estimate.evaluation.early_exit import Answered, checked_confidences, early_exit
from spikeport.estimate.stats import Share, wilson

SHARES = st.floats(0, 1)
# A busy machine is no reason to fail.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(st.lists(st.tuples(SHARES, st.booleans()), min_size=1, max_size=40), st.integers(1, 20))
def test_calibration_error(samples: list[tuple[float, bool]], bins: int) -> None:
    found = calibration([c for c, _ in samples], [h for _, h in samples], bins)
    error, counted = 0.0, 0
    for index, row in enumerate(found.bins):
        low, high = index / bins, (index + 1) / bins
        inside = [s for s in samples if low < s[0] <= high or (index == 0 and s[0] == 0)]
        assert (row.low, row.high, row.count) == (low, high, len(inside))
        counted += len(inside)
        if inside:
            confidence = sum(c for c, _ in inside) / len(inside)
            accuracy = sum(h for _, h in inside) / len(inside)
            assert row.accuracy == pytest.approx(accuracy)
            assert row.confidence == pytest.approx(confidence)
            error += len(inside) * abs(accuracy - confidence) / len(samples)
        else:
            assert row.accuracy is None and row.confidence is None
    assert counted == len(samples)
    assert found.error == pytest.approx(error, abs=1e-12)


def test_calibration_by_hand() -> None:
    found = calibration([0.9, 0.9, 0.6, 1.0], [True, False, True, True])
    assert len(found.bins) == 15
    assert found.error == pytest.approx((2 * 0.4 + 0.4 + 0.0) / 4)


@patient
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_confusion(pairs: list[tuple[int, int]]) -> None:
    table = confusion([a for a, _ in pairs], [b for _, b in pairs], 4)
    for label in range(4):
        for prediction in range(4):
            assert table[label, prediction] == pairs.count((label, prediction))
    for row in per_class(table):
        right = pairs.count((row.label, row.label))
        own = sum(a == row.label for a, _ in pairs)
        taken = sum(b == row.label for _, b in pairs)
        assert row.recall == (Share(right, own) if own else None)
        assert row.precision == (Share(right, taken) if taken else None)


def answered(samples: int, steps: int, seed: int, *, energy: bool = True) -> Answered:
    draw = np.random.default_rng(seed)
    return Answered(
        draw.integers(0, 3, (samples, steps)),
        draw.random((samples, steps)),
        draw.integers(0, 3, samples),
        draw.random((samples, steps)).cumsum(1) if energy else None,
    )


@patient
@given(st.integers(1, 9), st.integers(1, 6), st.integers(0, 1000), st.booleans())
def test_early_exit(samples: int, steps: int, seed: int, energy: bool) -> None:
    given_ = answered(samples, steps, seed, energy=energy)
    for row in early_exit(given_, (0.3, 0.8, 1.0)):
        used, right, spent = [], [], []
        for sample in range(samples):
            step = 0
            while step < steps - 1 and given_.confidences[sample, step] < row.confidence:
                step += 1
            used.append(step + 1)
            right.append(given_.predictions[sample, step] == given_.labels[sample])
            if given_.picojoule is not None:
                spent.append(given_.picojoule[sample, step])
        whole = given_.predictions[:, -1] == given_.labels
        assert row.steps == pytest.approx(sum(used) / samples)
        assert (row.right.hits, row.right.count) == (sum(right), samples)
        assert row.change.difference == pytest.approx((sum(right) - sum(whole)) / samples)
        if given_.picojoule is None:
            assert row.energy_uj is None
            assert row.saved == pytest.approx(1 - sum(used) / samples / steps)
        else:
            full = given_.picojoule[:, -1].sum()
            assert row.energy_uj == pytest.approx(sum(spent) / samples / 1e6)
            assert row.saved == pytest.approx(1 - sum(spent) / full)


@pytest.mark.parametrize("wrong", [[], [0.0], [1.1], [0.5, math.nan]])
def test_confidences_that_cannot_be_reached_are_refused(wrong: list[float]) -> None:
    with pytest.raises(UsageError, match="confidence"):
        checked_confidences(wrong)


def test_a_share_has_wilsons_interval() -> None:
    share = Share(3, 4)
    assert share.value == 0.75
    assert share.interval == wilson(3, 4)
