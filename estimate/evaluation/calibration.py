"""Whether a network is as often right as it is confident.

C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
equations 2 to 5: the confidence is the largest softmax of the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 15
"""Of equal width, as in that paper; bin m holds confidences above (m - 1) / 15, up to m / 15."""


@dataclass(frozen=True)
class Bin:
    """Samples whose confidence lies above `low`, up to `high`.

    Attributes:
        count: how many.
        accuracy: share of them that is right; None if there is none.
        confidence: their mean confidence; None if there is none.
    """

    low: float
    high: float
    count: int
    accuracy: float | None
    confidence: float | None


@dataclass(frozen=True)
class Calibration:
    """The reliability table and its summary.

    Attributes:
        error: expected calibration error: the mean, weighted by samples, of the distance between
            accuracy and confidence of a bin.
    """

    bins: tuple[Bin, ...]
    error: float


def calibration(
    confidences: Sequence[float], hits: Sequence[bool], bins: int = BINS
) -> Calibration:
    """Compare confidence with accuracy.

    Args:
        confidences: by sample, 0 to 1.
        hits: whether each was right.
        bins: of equal width.
    """
    sure, right = np.array(confidences), np.array(hits, dtype=np.float64)
    edges = np.arange(bins + 1) / bins
    place = np.digitize(sure, edges[1:-1], right=True)
    table = []
    for index in range(bins):
        inside = place == index
        count = int(inside.sum())
        accuracy, mean = (right[inside].mean(), sure[inside].mean()) if count else (None, None)
        table.append(
            Bin(
                float(edges[index]),
                float(edges[index + 1]),
                count,
                None if accuracy is None else float(accuracy),
                None if mean is None else float(mean),
            )
        )
    gaps = [
        each.count * abs(each.accuracy - each.confidence)
        for each in table
        if each.accuracy is not None and each.confidence is not None
    ]
    return Calibration(tuple(table), sum(gaps) / len(sure))
