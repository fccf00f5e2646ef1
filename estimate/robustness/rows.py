"""A network under one condition, against itself undisturbed on the same samples."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from spikeport.estimate import AccuracyResult
from spikeport.estimate.paired import paired

CLEAN = "clean"

Batch = tuple[Tensor, Tensor]
"""(frames as the executor takes them, labels `[B]`)."""


@dataclass(frozen=True)
class Row:
    """Accuracy under one condition.

    Attributes:
        measure: which experiment: "events", "attack" or "time".
        name: what is done: a perturbation, an attack, an order of time steps; or "clean".
        variant: which form of it, "" if there is one only.
        level: how strongly, in `unit`.
        correct, count: samples.
        accuracy, low, high: share of right samples and its 95 % interval (Wilson).
        difference, difference_low, difference_high: accuracy minus the clean one, with the 95 %
            interval for pairs (Agresti and Min).
        p_value: exact McNemar test against the clean run.
        events: mean number of events per recording that the network was shown; None if its input
            is no count of events.
    """

    measure: str
    name: str
    variant: str
    level: float
    unit: str
    correct: int
    count: int
    accuracy: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    p_value: float
    events: float | None = None


def row_of(
    measure: str,
    name: str,
    result: AccuracyResult,
    clean: AccuracyResult,
    *,
    variant: str = "",
    level: float = 0.0,
    unit: str = "",
    events: float | None = None,
) -> Row:
    """The row of a result.

    Raises:
        UsageError: the two runs saw different numbers of samples.
    """
    pair = paired(clean.hits, result.hits)
    return Row(
        measure=measure,
        name=name,
        variant=variant,
        level=level,
        unit=unit,
        correct=result.correct,
        count=result.count,
        accuracy=result.top1,
        low=result.interval[0],
        high=result.interval[1],
        difference=pair.difference,
        difference_low=pair.interval[0],
        difference_high=pair.interval[1],
        p_value=pair.p_value,
        events=events,
    )


@dataclass(frozen=True)
class Mean:
    """Average over rows.

    Attributes:
        of: what was averaged.
        accuracy: mean of their accuracies.
        difference: mean of their differences from the clean run.
        low, high: 95 % interval of `difference` over the samples; None where it was not computed.
    """

    of: str
    accuracy: float
    difference: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Section:
    """One experiment: the clean row first, then the others, averages over some, and notes."""

    measure: str
    rows: tuple[Row, ...]
    means: tuple[Mean, ...] = ()
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "measure": self.measure,
            "rows": [asdict(row) for row in self.rows],
            "means": [asdict(mean) for mean in self.means],
            "notes": list(self.notes),
        }


def mean_of(of: str, rows: Iterable[Row]) -> Mean:
    """Average over rows, of which there is at least one."""
    chosen = list(rows)
    return Mean(
        of,
        sum(row.accuracy for row in chosen) / len(chosen),
        sum(row.difference for row in chosen) / len(chosen),
    )
