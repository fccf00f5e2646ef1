"""Which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeport.estimate.stats import Share


def confusion(
    labels: Sequence[int], predictions: Sequence[int], classes: int
) -> npt.NDArray[np.int64]:
    """Samples `[classes, classes]` by label (row) and prediction (column)."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (np.array(labels), np.array(predictions)), 1)
    return table


@dataclass(frozen=True)
class ClassRow:
    """One class.

    Attributes:
        label: its number.
        recall: samples of the class that are right; None if there is none.
        precision: right samples among those that are taken for the class; None if there is none.
    """

    label: int
    recall: Share | None
    precision: Share | None


def per_class(table: npt.NDArray[np.int64]) -> tuple[ClassRow, ...]:
    """One row per class of a confusion matrix."""
    right = table.diagonal()
    return tuple(
        ClassRow(label, _share(right[label], count), _share(right[label], taken))
        for label, (count, taken) in enumerate(zip(table.sum(1), table.sum(0), strict=True))
    )


def _share(hits: np.int64, count: np.int64) -> Share | None:
    return Share(int(hits), int(count)) if count else None
