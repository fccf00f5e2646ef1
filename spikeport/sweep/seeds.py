"""What a sweep over several seeds says: means of its conditions, and what their axes change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spikeport.estimate.stats import Statistics, statistics
from spikeport.sweep.table import Row

SEED = "seed"


@dataclass(frozen=True)
class Condition:
    """Cells that differ in their seed only.

    Attributes:
        keys: what they have in common, of the keys that vary.
        accuracy: over the seeds, 0 to 1; 95 % interval of the mean by Student's t.
        energy: the same in uJ per sample; None where a cell was not counted.
    """

    keys: dict[str, Any]
    accuracy: Statistics
    energy: Statistics | None


@dataclass(frozen=True)
class Change:
    """From one value on an axis to another, in pairs of cells that agree in all else.

    Attributes:
        axis: key that differs.
        before, after: its values.
        accuracy: of `after` minus of `before`, a value for each pair.
    """

    axis: str
    before: Any
    after: Any
    accuracy: Statistics


def conditions(rows: Sequence[Row], varied: Sequence[str]) -> list[Condition]:
    """Means over seeds, in the order of the rows; cells that failed are left out.

    Args:
        varied: keys that are not the same in all rows, the seed among them.
    """
    names = [name for name in varied if name != SEED]
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in _whole(rows):
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return [
        Condition(
            dict(zip(names, values, strict=True)),
            statistics([row["accuracy"] for row in same], "student"),
            _energy(same),
        )
        for values, same in found.items()
    ]


def changes(rows: Sequence[Row], varied: Sequence[str]) -> list[Change]:
    """Differences between any two values of each axis but the seed.

    The same seed gives other networks other first weights, but the same order of the data.

    Args:
        varied: keys that are not the same in all rows, the seed among them.
    """
    return [change for axis in varied if axis != SEED for change in _along(rows, varied, axis)]


def _along(rows: Sequence[Row], varied: Sequence[str], axis: str) -> Iterator[Change]:
    others = [name for name in varied if name != axis]
    by_value: dict[Any, dict[tuple[Any, ...], float]] = {}
    for row in _whole(rows):
        place = tuple(row[name] for name in others)
        by_value.setdefault(row[axis], {})[place] = row["accuracy"]
    for (before, old), (after, new) in itertools.combinations(by_value.items(), 2):
        shared = [place for place in old if place in new]
        if shared:
            pairs = [new[place] - old[place] for place in shared]
            yield Change(axis, before, after, statistics(pairs, "student"))


def _whole(rows: Sequence[Row]) -> Iterator[Row]:
    return (row for row in rows if row.get("accuracy") is not None)


def _energy(rows: Sequence[Row]) -> Statistics | None:
    values = [row["energy_uJ"] for row in rows if row.get("energy_uJ") is not None]
    return statistics(values, "student") if len(values) == len(rows) else None
