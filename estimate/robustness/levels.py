"""Accuracy over levels of disturbance of the events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.core.errors import UsageError
from spikeport.estimate import AccuracyResult, accuracy
from spikeport.estimate.robustness.rows import CLEAN, Batch, Section, row_of

MEASURE = "events"


@dataclass(frozen=True)
class Level:
    """A disturbance at one level, in its unit."""

    name: str
    level: float
    unit: str


def compare_levels(
    executor: Executor,
    clean: Iterable[Batch],
    levels: Sequence[Level],
    disturbed: Callable[[Level], Iterable[Batch]],
) -> Section:
    """Run a network undisturbed and at each level, on the same samples.

    Args:
        executor: runs the network.
        clean: (frames `[T, B, C, H, W]` that count events, labels `[B]`).
        levels: in the order of the rows.
        disturbed: the batches of a level: the same samples in the same order.

    Raises:
        UsageError: no level is given, or a level comes with other samples.
    """
    if not levels:
        raise UsageError("no level is given.", where="levels", fix="Give at least one.")
    base, events = _counted(executor, clean)
    rows = [row_of(MEASURE, CLEAN, base, base, events=events)]
    for each in levels:
        result, events = _counted(executor, disturbed(each))
        if tuple(result.labels) != tuple(base.labels):
            raise UsageError(
                f"{each.name} at {each.level:g} came with other samples than the clean run.",
                where="levels",
                fix="Give the same samples in the same order at each level.",
            )
        rows.append(
            row_of(
                *(MEASURE, each.name, result, base),
                level=each.level,
                unit=each.unit,
                events=events,
            )
        )
    return Section(MEASURE, tuple(rows))


def _counted(executor: Executor, batches: Iterable[Batch]) -> tuple[AccuracyResult, float]:
    """Accuracy, and events per sample."""
    total = 0.0

    def counting() -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal total
        for frames, labels in batches:
            total += float(frames.sum(dtype=frames.double().dtype))
            yield frames, labels

    result = accuracy(executor, counting())
    return result, total / result.count
