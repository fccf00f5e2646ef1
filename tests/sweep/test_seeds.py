"""Means over seeds and paired changes, against figures worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from spikeport.sweep.seeds import changes, conditions

VARIED = ["mixer", "pool", "seed"]


def row(mixer: str, pool: str, seed: int, accuracy: float | None, **more: Any) -> dict[str, Any]:
    keys = {"mixer": mixer, "pool": pool, "seed": seed}
    return keys | {"accuracy": accuracy, "energy_uJ": 2.0 * seed} | more


ROWS = [
    *(row("avg", "no", 0, 0.50), row("avg", "no", 1, 0.54)),
    *(row("avg", "yes", 0, 0.60), row("avg", "yes", 1, 0.62)),
    *(row("dwc", "no", 0, 0.55), row("dwc", "no", 1, 0.57)),
    *(row("dwc", "yes", 0, 0.70), row("dwc", "yes", 1, None, error="refused")),
]


def test_conditions_are_means_over_seeds() -> None:
    found = conditions(ROWS, VARIED)
    assert [each.keys for each in found] == [
        {"mixer": mixer, "pool": pool} for mixer in ("avg", "dwc") for pool in ("no", "yes")
    ]
    means = [each.accuracy.mean for each in found]
    assert means == pytest.approx([0.52, 0.61, 0.56, 0.70])
    assert [each.accuracy.samples for each in found] == [2, 2, 2, 1]
    # Half of 0.04, times 12.7 / sqrt(2) * sqrt(2).
    assert found[0].accuracy.high == pytest.approx(0.52 + 12.7062047 * 0.02)
    assert found[3].accuracy.low is None
    energies = [None if each.energy is None else each.energy.mean for each in found]
    assert energies == [1, 1, 1, 0]


def test_changes_are_taken_in_pairs_that_agree_in_all_else() -> None:
    mixer, pool = changes(ROWS, VARIED)
    assert (mixer.axis, mixer.before, mixer.after) == ("mixer", "avg", "dwc")
    # 0.05 and 0.03 without pool, 0.10 with it; the failed cell has no pair.
    assert mixer.accuracy.samples == 3 and mixer.accuracy.mean == pytest.approx(0.06)
    assert (pool.axis, pool.before, pool.after) == ("pool", "no", "yes")
    assert pool.accuracy.samples == 3 and pool.accuracy.mean == pytest.approx(0.33 / 3)


def test_three_values_give_three_changes_and_no_pair_none() -> None:
    rows = [row(name, "no", 0, share) for name, share in (("a", 0.1), ("b", 0.2), ("c", 0.4))]
    found = changes(rows, VARIED)
    assert [(each.before, each.after) for each in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [each.accuracy.mean for each in found] == pytest.approx([0.1, 0.3, 0.2])
    apart = [row("a", "no", 0, 0.1), row("b", "no", 1, 0.2)]
    assert changes(apart, ["mixer", "seed"]) == []


def test_a_condition_that_was_not_counted_has_no_energy() -> None:
    rows = [row("a", "no", 0, 0.1), row("a", "no", 1, 0.2, energy_uJ=None)]
    (found,) = conditions(rows, VARIED)
    assert found.energy is None and found.accuracy.samples == 2
