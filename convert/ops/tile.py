"""Copies along feature axes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


@op("tile")
@dataclass(frozen=True, eq=False)
class Tile(Stateless):
    """y[.., i, ..] = x[.., i mod n, ..] on each axis of size n, repeats[axis] times as long."""

    repeats: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "repeats", tuple(self.repeats))
        if any(times < 1 for times in self.repeats):
            raise ValueError(f"cannot repeat {self.repeats} times")

    def infer_shape(self, *inputs: Shape) -> Shape:
        return tuple(
            size * times for size, times in zip(inputs[0], self.repeats, strict=True)
        )  # zip raises ValueError where their lengths differ

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0].repeat(1, *self.repeats)
