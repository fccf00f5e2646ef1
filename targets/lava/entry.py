"""How a network reads its input: event counts as they are, images in whole numbers of one unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Self

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.frames import repeats
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import Input
from spikeport.core.errors import UsageError

CLIPPED_AT_MOST = 2.0
"""Frames that exceed the range by more than this factor are refused, not clipped."""


def declared(graph: Graph) -> Graph:
    """The graph with a real-valued input declared as what Lava gets: whole numbers of one unit."""
    entries = [node for node in graph.inputs if node.domain is Domain.REAL]
    scaled: dict[str, Input] = {
        node.name: replace(node.op, domain=Domain.SCALED)
        for node in entries
        if isinstance(node.op, Input)
    }
    return rebuilt(graph, scaled) if scaled else graph


def image_steps(graph: Graph) -> int | None:
    """How many steps a static image is shown; None if the input comes per step."""
    if graph.input.per_step:
        return None
    return repeats(graph)[0]


@dataclass(frozen=True)
class Entry:
    """A whole number n of the input stands for n units.

    Attributes:
        low, high: smallest and largest n.
        quantised: whether the input is real: n = round(x / unit), halves to even, clipped to
            low ... high. Else the frames hold n itself, and others are refused.
    """

    unit: Fraction
    low: int
    high: int
    quantised: bool = False

    @classmethod
    def counts(cls, largest: int) -> Self:
        """Event counts up to a largest."""
        return cls(Fraction(1), 0, largest)

    @classmethod
    def images(cls, largest: float, bits: int) -> Self:
        """Real values up to this magnitude, in numbers of `bits` bits with sign."""
        top = 2 ** (bits - 1) - 1
        return cls(Fraction(largest / top), -top, top, quantised=True)

    def as_json(self) -> dict[str, Any]:
        return {
            "unit": float(self.unit),
            "low": self.low,
            "high": self.high,
            "quantised": self.quantised,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The inverse of `as_json`; units are exact in float64."""
        return cls(
            Fraction(value["unit"]), int(value["low"]), int(value["high"]), bool(value["quantised"])
        )

    def whole(self, frames: Tensor, where: str) -> Tensor:
        """The whole numbers of frames that may hold fractions, float64.

        Raises:
            UsageError: they hold NaN, or exceed the range by more than `CLIPPED_AT_MOST`.
        """
        values = frames.double() / float(self.unit)
        limit = CLIPPED_AT_MOST * max(self.high, -self.low)
        if not bool((values.abs() <= limit).all()):
            raise UsageError(
                f"the input holds {float(frames.abs().max()):g}; whole numbers were chosen for "
                f"magnitudes up to {float(self.high * self.unit):g}.",
                where=where,
                fix="Normalise it as in training, or lower again with a larger input_range.",
            )
        return torch.round(values).clamp(self.low, self.high)
