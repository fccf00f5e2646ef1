"""Paper modes: the conventions of published energy figures, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from spikeport.core.registry import Registry
from spikeport.estimate.tally.tally import Tally


@dataclass(frozen=True)
class PaperEstimate:
    """What a paper would have published for this network on these samples.

    Attributes:
        mode: name of the convention.
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


PaperMode = Callable[[Tally], PaperEstimate]

PAPER_MODES: Registry[PaperMode] = Registry("paper mode")
