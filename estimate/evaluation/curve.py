"""Accuracy, operations and energy against the number of steps."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.stats import Share
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule


@dataclass(frozen=True)
class StepRow:
    """A network that is stopped after some of its steps; operations and energy per sample.

    Attributes:
        steps: t.
        right: samples answered rightly.
        sop: synaptic operations in the first t steps; None if they were not counted.
        energy_uj: what these steps cost; None if it was not charged or depends on later steps.
    """

    steps: int
    right: Share
    sop: float | None
    energy_uj: float | None


def curve(
    predictions: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    energies: Energies | None,
) -> tuple[StepRow, ...]:
    """One row per step.

    Args:
        predictions: `[samples, T]`, the class after each step.
        labels: `[samples]`.
        energies: of the same samples; None if they were not counted or cannot be told for fewer
            steps.
    """
    count, steps = predictions.shape
    rights = (predictions == labels[:, None]).sum(0)
    sops, spent = (None, None) if energies is None else (_sops(energies), _spent(energies))
    return tuple(
        StepRow(
            steps=step + 1,
            right=Share(int(rights[step]), count),
            sop=None if sops is None else float(sops[step]),
            energy_uj=None if spent is None else float(microjoule(spent[step])),
        )
        for step in range(steps)
    )


def _sops(energies: Energies) -> list[Fraction]:
    tally = energies.tally
    return _up_to([tally.per_step(name, Term.SOP) for name in tally.plans], tally.samples)


def _spent(energies: Energies) -> list[Fraction]:
    names = energies.tally.plans
    return _up_to([energies.per_step(name) for name in names], energies.tally.samples)


def _up_to(rows: list[tuple[int, ...]] | list[list[Fraction]], samples: int) -> list[Fraction]:
    """Per sample, up to each step; the last of each row happens once per sample."""
    *steps, once = [sum(column, Fraction(0)) for column in zip(*rows, strict=True)]
    return [(sum(steps[: step + 1], Fraction(0)) + once) / samples for step in range(len(steps))]
