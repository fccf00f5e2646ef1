"""What an energy model file holds. No constant without value, unit, source and status."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from spikeport.estimate.tally.terms import Term

_IN_PICOJOULE = {"fJ": Fraction(1, 1000), "pJ": Fraction(1), "nJ": Fraction(1000)}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """How a figure was obtained by its source."""

    MEASURED = "measured"
    SIMULATED = "simulated"
    DERIVED = "derived"


class Constant(_Strict):
    """One figure of a model: energy per operation.

    Attributes:
        value: in `unit`; decimal, so that sums of it are exact.
        unit: fJ, pJ or nJ.
        meaning: what one operation is.
        source: publication, with identifier.
        status: measured, simulated or derived by the source.
        verified: whether it was read in the primary source, not second-hand.
    """

    value: Decimal = Field(ge=0, allow_inf_nan=False)
    unit: Literal["fJ", "pJ", "nJ"]
    meaning: str = Field(min_length=1)
    source: str = Field(min_length=1)
    status: Status
    verified: bool

    @property
    def picojoule(self) -> Fraction:
        return Fraction(self.value) * _IN_PICOJOULE[self.unit]


class Charge(_Strict):
    """Each unit of a count costs a constant."""

    count: Term
    constant: str


class EnergyModel(_Strict):
    """Energy of a tally as a sum of counts times constants.

    Attributes:
        graded_events: whether an event of size n is charged once or n times.
        charges: the formula.
        includes: what the formula stands for, in words.
        excludes: what it leaves out, in words; shown in every report.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str = Field(min_length=1)
    technology: str = Field(min_length=1)
    precision: str = Field(min_length=1)
    graded_events: Literal["events", "unit_spikes"]
    includes: tuple[str, ...] = Field(min_length=1)
    excludes: tuple[str, ...] = Field(min_length=1)
    constants: dict[str, Constant] = Field(min_length=1)
    charges: tuple[Charge, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unknown = {charge.constant for charge in self.charges} - set(self.constants)
        if unknown:
            raise ValueError(f"charges name constants that are not there: {sorted(unknown)}")
        counts = [charge.count for charge in self.charges]
        twice = sorted({count.value for count in counts if counts.count(count) > 1})
        if twice:
            raise ValueError(f"counts are charged twice: {twice}")
        return self

    def price(self, count: Term) -> Fraction:
        """pJ per unit of a count; 0 if the model does not charge it."""
        for charge in self.charges:
            if charge.count is count:
                return self.constants[charge.constant].picojoule
        return Fraction(0)

    def describe(self) -> list[str]:
        """One line per constant: value, unit, meaning, status, whether verified."""
        return [
            f"{name} = {each.value} {each.unit}, {each.meaning} ({each.status.value}, "
            f"{'verified' if each.verified else 'unverified'})"
            for name, each in self.constants.items()
        ]

    @property
    def sources(self) -> list[str]:
        """The publications behind the constants, each once."""
        return list(dict.fromkeys(each.source for each in self.constants.values()))
