"""Figures with unit, source and status: what energy models and chips are made of."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from spikeport.estimate.units import ENERGY, POWER, TIME


class Strict(BaseModel):
    """Data of a file: unchangeable, and an entry that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """How a figure was obtained by its source."""

    MEASURED = "measured"
    SIMULATED = "simulated"
    DERIVED = "derived"


class Sourced(Strict):
    """A figure without its unit.

    Attributes:
        value: in the unit; decimal, so that sums of it are exact.
        meaning: what it is the figure of.
        source: publication, with identifier.
        status: measured, simulated or derived by the source.
        verified: whether it was read in the primary source, not second-hand.
        note: what a reader should know about it.
    """

    value: Decimal = Field(ge=0, allow_inf_nan=False)
    meaning: str = Field(min_length=1)
    source: str = Field(min_length=1)
    status: Status
    verified: bool
    note: str = ""

    def describe(self, name: str) -> str:
        """One line: value, unit, meaning, status, whether verified."""
        unit = getattr(self, "unit", "")
        known = f"{self.status.value}, {'verified' if self.verified else 'unverified'}"
        note = f"; {self.note}" if self.note else ""
        return f"{name} = {self.value} {unit}, {self.meaning} ({known}{note})"


class Constant(Sourced):
    """Energy per operation."""

    unit: Literal["fJ", "pJ", "nJ", "uJ", "mJ"]

    @property
    def picojoule(self) -> Fraction:
        return Fraction(self.value) * ENERGY[self.unit]


class Power(Sourced):
    """Power drawn whether or not anything happens."""

    unit: Literal["uW", "mW", "W"]

    @property
    def watt(self) -> Fraction:
        return Fraction(self.value) * POWER[self.unit]


class Latency(Sourced):
    """Time that one sample or one time step takes."""

    unit: Literal["ns", "us", "ms"]
    per: Literal["sample", "step"]

    def seconds(self, steps: int) -> Fraction:
        """s per sample of `steps` time steps."""
        time = Fraction(self.value) * TIME[self.unit]
        return time * steps if self.per == "step" else time


class Hops(Sourced):
    """Links that a spike passes on its way, on average: depends on the placement."""

    unit: Literal["hops per spike"]


class Limit(Sourced):
    """How much of something there is on a chip or a core."""

    value: Decimal = Field(gt=0, allow_inf_nan=False, decimal_places=0)
    unit: str = Field(min_length=1)

    @property
    def count(self) -> int:
        return int(self.value)
