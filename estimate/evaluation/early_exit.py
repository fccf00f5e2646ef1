"""Stopping a sample as soon as the network is confident."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spikeport.core.errors import UsageError
from spikeport.estimate.paired import Paired, paired
from spikeport.estimate.stats import Share
from spikeport.estimate.units import microjoule

CONFIDENCES = (0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class ExitRow:
    """A network that stops once the softmax of its mean scores reaches a confidence.

    Attributes:
        confidence: the threshold.
        steps: mean number of steps taken.
        right: samples answered rightly when it stops.
        change: against the same network over all steps.
        energy_uj: mean energy per sample up to the exit, reading out at each step not charged;
            None if it is not known.
        saved: share of the energy of all steps; of the steps themselves if energy is not known.
    """

    confidence: float
    steps: float
    right: Share
    change: Paired
    energy_uj: float | None
    saved: float


@dataclass(frozen=True, eq=False)
class Answered:
    """Samples after each step.

    Attributes:
        predictions: class, `[samples, T]`.
        confidences: its softmax, `[samples, T]`.
        labels: `[samples]`.
        picojoule: energy up to each step, `[samples, T]`; None if it is not known.
    """

    predictions: npt.NDArray[np.int64]
    confidences: npt.NDArray[np.float64]
    labels: npt.NDArray[np.int64]
    picojoule: npt.NDArray[np.float64] | None


def early_exit(answered: Answered, confidences: Sequence[float]) -> tuple[ExitRow, ...]:
    """One row per threshold."""
    return tuple(_row(answered, each) for each in confidences)


def checked_confidences(confidences: Sequence[float]) -> tuple[float, ...]:
    """The thresholds in ascending order.

    Raises:
        UsageError: there is none, or one is not above 0 and at most 1.
    """
    if not confidences or not all(0 < each <= 1 for each in confidences):
        raise UsageError(
            f"{', '.join(map(str, confidences)) or 'nothing'} cannot be a confidence to exit at.",
            where="exits",
            fix="Give numbers above 0 and at most 1, such as 0.9.",
        )
    return tuple(sorted(set(confidences)))


def _row(answered: Answered, confidence: float) -> ExitRow:
    count, steps = answered.predictions.shape
    reached = answered.confidences >= confidence
    reached[:, -1] = True  # the last step ends in any case
    at = reached.argmax(1)
    everyone = np.arange(count)
    hits = answered.predictions[everyone, at] == answered.labels
    whole = answered.predictions[:, -1] == answered.labels
    used = float((at + 1).mean())
    energy, saved = None, 1 - used / steps
    if answered.picojoule is not None:
        spent, full = answered.picojoule[everyone, at], answered.picojoule[:, -1]
        energy = float(microjoule(spent).mean())
        saved = 1 - float(spent.sum() / full.sum()) if full.any() else 0.0
    return ExitRow(
        confidence,
        used,
        Share(int(hits.sum()), count),
        paired(whole.tolist(), hits.tolist()),
        energy,
        saved,
    )
