"""How much each constant of an energy model decides which network is cheaper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from spikeport.estimate.energy.schema import EnergyModel

LOW, HIGH = Fraction(1, 2), Fraction(2)
"""Factors that a constant is varied by."""


@dataclass(frozen=True)
class Influence:
    """One constant and the ratio of spiking to non-spiking energy.

    Attributes:
        constant: its name.
        at_half, at_double: the ratio with the constant halved and doubled.
        flips_at: factor at which both networks cost the same; None if there is none above 0.
    """

    constant: str
    at_half: float
    at_double: float
    flips_at: float | None

    @property
    def swing(self) -> float:
        """How far the ratio moves, as a factor."""
        low, high = sorted((self.at_half, self.at_double))
        return high / low if low else float("inf")


def influences(
    model: EnergyModel, spiking: Mapping[str, Fraction], dense: Mapping[str, Fraction]
) -> list[Influence]:
    """By swing, largest first; constants that neither network is charged are left out.

    Args:
        model: the constants.
        spiking, dense: units of each constant per sample.
    """
    found = []
    totals = [_energy(model, units) for units in (spiking, dense)]
    for name, constant in model.constants.items():
        if not spiking[name] and not dense[name]:
            continue
        parts = [units[name] * constant.picojoule for units in (spiking, dense)]
        rest = [total - part for total, part in zip(totals, parts, strict=True)]
        half, double = (
            (rest[0] + factor * parts[0]) / (rest[1] + factor * parts[1]) for factor in (LOW, HIGH)
        )
        slope = parts[0] - parts[1]
        flips = (rest[1] - rest[0]) / slope if slope else None
        found.append(
            Influence(
                name,
                float(half),
                float(double),
                float(flips) if flips is not None and flips > 0 else None,
            )
        )
    return sorted(found, key=lambda each: -each.swing)


def _energy(model: EnergyModel, units: Mapping[str, Fraction]) -> Fraction:
    return sum(
        (count * model.constants[name].picojoule for name, count in units.items()), Fraction(0)
    )
