"""What an energy model file holds. No constant without value, unit, source and status."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from spikeport.convert.ops import OPS
from spikeport.estimate.energy.memory import Memory, Store
from spikeport.estimate.energy.quantities import QUANTITIES
from spikeport.estimate.figures import Constant, Hops, Latency, Power, Sourced, Strict
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import PICOJOULE_PER_JOULE


def _countable(name: str) -> str:
    if name not in QUANTITIES:
        raise ValueError(
            f"nothing that is counted is called {name}; known: {', '.join(QUANTITIES)}"
        )
    return name


def _op_kind(name: str) -> str:
    if name not in OPS:
        raise ValueError(f"no op is of kind {name}; known: {', '.join(OPS)}")
    return name


class Charge(Strict):
    """Each unit of a quantity costs a constant, or an access to a store of its size.

    Attributes:
        count: a quantity: a column of the tally or a sum of them.
        constant: what a unit of it costs.
        memory: instead of a constant: the store that is accessed, priced by its size.
        hops: instead of one unit: the mean number of these links (`routing`).
        kinds: charge ops of these kinds only ("conv", "lif", ...); empty: all.
    """

    count: Annotated[str, AfterValidator(_countable)]
    constant: str = ""
    memory: Store | None = None
    hops: Literal["east_west", "north_south"] | None = None
    kinds: tuple[Annotated[str, AfterValidator(_op_kind)], ...] = ()

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        if bool(self.constant) == bool(self.memory):
            raise ValueError("a charge needs a constant or a memory, not both")
        return self


class Static(Strict):
    """Power drawn all the time, and for how long a sample takes it."""

    power: Power
    latency: Latency | None = None


class Routing(Strict):
    """Mean links per spike of a placement: not known before a network is placed."""

    east_west: Hops | None = None
    north_south: Hops | None = None


class EnergyModel(Strict):
    """Energy of a tally as a sum of counts times constants, and static power times latency.

    Attributes:
        weight_bits, state_bits: width of weights, and of membranes and activations that are not
            spikes; None: as the graph stores them.
        graded_events: whether an event of size n is charged once or n times.
        charges: the formula.
        includes: what the formula stands for, in words.
        excludes: what it leaves out, in words; shown in every report.
        note: what a reader should know about the model.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str = Field(min_length=1)
    technology: str = Field(min_length=1)
    precision: str = Field(min_length=1)
    weight_bits: int | None = Field(default=None, gt=0, le=64)
    state_bits: int | None = Field(default=None, gt=0, le=64)
    graded_events: Literal["events", "unit_spikes"]
    includes: tuple[str, ...] = Field(min_length=1)
    excludes: tuple[str, ...] = Field(min_length=1)
    note: str = ""
    constants: dict[str, Constant] = Field(min_length=1)
    charges: tuple[Charge, ...] = Field(min_length=1)
    memory: Memory | None = None
    routing: Routing = Routing()
    static: Static | None = None

    @property
    def _used(self) -> set[str]:
        tabulated = {size.constant for size in self.memory.sizes} if self.memory else set()
        return tabulated | {charge.constant for charge in self.charges if charge.constant}

    @model_validator(mode="after")
    def _constants_exist(self) -> Self:
        if unknown := self._used - set(self.constants):
            raise ValueError(f"charges name constants that are not there: {sorted(unknown)}")
        return self

    @model_validator(mode="after")
    def _charged_once(self) -> Self:
        seen = set()
        for charge in self.charges:
            for kind in charge.kinds or ("",):
                part = (charge.count, charge.constant, charge.memory, charge.hops, kind)
                # A quantity may have several parts (an operation and its accesses), each once.
                if part in seen:
                    raise ValueError(f"{charge.count} is charged twice with the same price")
                seen.add(part)
        return self

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if any(charge.memory for charge in self.charges):
            if self.memory is None:
                raise ValueError("a charge is by memory size, but there is no table of sizes")
            if self.weight_bits is None or self.state_bits is None:
                raise ValueError("prices by memory size need weight_bits and state_bits")
        for charge in self.charges:
            if charge.hops and getattr(self.routing, charge.hops) is None:
                raise ValueError(f"hops {charge.hops} are charged, but routing tells no number")
        return self

    def price(self, term: Term) -> Fraction:
        """pJ per unit of a count by charges that hold for ops of every kind; 0 without any."""
        return sum(
            (
                self.constants[charge.constant].picojoule
                for charge in self.charges
                if charge.count == term.value and charge.constant and not charge.kinds
            ),
            Fraction(0),
        )

    def static_picojoule(self, steps: int) -> Fraction | None:
        """Static power x latency, pJ per sample; None without a power or a latency."""
        if self.static is None or self.static.latency is None:
            return None
        seconds = self.static.latency.seconds(steps)
        return self.static.power.watt * seconds * PICOJOULE_PER_JOULE

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the result does not cover, in words."""
        if self.static is not None and self.static.latency is None:
            return (*self.excludes, "static energy (no latency is given)")
        return self.excludes

    def describe(self) -> list[str]:
        """One line per figure: value, unit, meaning, status, whether verified."""
        figures: dict[str, Sourced | None] = {**self.constants}
        figures["east-west"] = self.routing.east_west
        figures["north-south"] = self.routing.north_south
        if self.static is not None:
            figures |= {"static power": self.static.power, "latency": self.static.latency}
        lines = {name: each.describe(name) for name, each in figures.items() if each is not None}
        return [
            f"{line}; not charged" if name in set(self.constants) - self._used else line
            for name, line in lines.items()
        ]

    @property
    def sources(self) -> list[str]:
        """The publications behind the constants, each once."""
        return list(dict.fromkeys(each.source for each in self.constants.values()))

    @property
    def unverified(self) -> list[str]:
        """Names of the constants that are known only second-hand."""
        return [name for name, each in self.constants.items() if not each.verified]
