"""Paper modes: the conventions of published energy figures, by name, with their switches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.core.registry import Registry
from spikeport.estimate.tally.tally import Tally


@dataclass(frozen=True)
class PaperEstimate:
    """What a paper would have published for this network on these samples.

    Attributes:
        mode: name of the convention, with the switches that were set.
        source: where it is defined.
        layers: pJ per sample by charged node, mean over the samples, exact.
        conventions: how it differs from the exact count, one sentence each.
    """

    mode: str
    source: str
    layers: Mapping[str, Fraction]
    conventions: tuple[str, ...]

    @property
    def picojoule(self) -> Fraction:
        """pJ per sample, mean over the samples."""
        return sum(self.layers.values(), Fraction(0))

    def deviation_percent(self, exact: Fraction) -> float | None:
        """How far it is above (+) or below (-) an exact figure in pJ; None if that is 0."""
        return float((self.picojoule - exact) / exact * 100) if exact else None


@dataclass(frozen=True)
class Charged:
    """What a convention makes of a tally."""

    layers: Mapping[str, Fraction]
    conventions: tuple[str, ...]


@dataclass(frozen=True)
class PaperMode:
    """A convention.

    Attributes:
        source: where it is defined.
        charge: (tally, switches by name) -> pJ by node, and how it differs, in words.
        switches: what can be set, each with its values; the first is the paper's own.
    """

    name: str
    source: str
    charge: Callable[[Tally, Mapping[str, str]], Charged]
    switches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, tally: Tally, **chosen: str) -> PaperEstimate:
        """The estimate for a tally.

        Raises:
            UnknownNameError: a switch, or a value of it, does not exist.
        """
        self.check(chosen)
        settings = {switch: values[0] for switch, values in self.switches.items()} | chosen
        found = self.charge(tally, settings)
        told = ",".join(f"{switch}={value}" for switch, value in chosen.items())
        return PaperEstimate(
            mode=f"{self.name}:{told}" if told else self.name,
            source=self.source,
            layers=found.layers,
            conventions=found.conventions,
        )

    def check(self, chosen: Mapping[str, str]) -> None:
        """Raise UnknownNameError if a switch, or a value of it, does not exist."""
        for switch, value in chosen.items():
            if switch not in self.switches:
                raise UnknownNameError(f"switch of paper mode {self.name}", switch, self.switches)
            if value not in self.switches[switch]:
                raise UnknownNameError(f"value of switch {switch}", value, self.switches[switch])


PAPER_MODES: Registry[PaperMode] = Registry("paper mode")


def paper_mode(text: str) -> Callable[[Tally], PaperEstimate]:
    """The mode of `NAME` or `NAME:SWITCH=VALUE,...`.

    Raises:
        UnknownNameError: no mode has the name, or no switch or value.
        UsageError: a switch has no value.
    """
    name, _, rest = text.partition(":")
    mode, chosen = PAPER_MODES[name], {}
    for part in filter(None, rest.split(",")):
        switch, _, value = part.partition("=")
        if not value:
            raise UsageError(
                f"switch {switch} has no value.",
                where=f"paper mode {text}",
                fix=f"Write {name}:{switch}=VALUE.",
            )
        chosen[switch] = value
    # A typing error shows before the run, not after it.
    mode.check(chosen)
    return lambda tally: mode(tally, **chosen)
