"""Part of a feature axis."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


@op("slice")
@dataclass(frozen=True, eq=False)
class Slice(Stateless):
    """y[.., i, ..] = x[.., start + i step, ..] on feature axis `axis`, start + i step < stop."""

    axis: int
    start: int
    stop: int
    step: int = 1

    def __post_init__(self) -> None:
        if self.step < 1 or not 0 <= self.start < self.stop:
            raise ValueError(f"{self.start}:{self.stop}:{self.step} selects nothing")

    def infer_shape(self, *inputs: Shape) -> Shape:
        shape = inputs[0]
        if not 0 <= self.axis < len(shape) or self.stop > shape[self.axis]:
            raise ValueError(f"has no {self.start}:{self.stop} on axis {self.axis}")
        kept = len(range(self.start, self.stop, self.step))
        return (*shape[: self.axis], kept, *shape[self.axis + 1 :])

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        index = (slice(None),) * (self.axis + 1)
        return inputs[0][(*index, slice(self.start, self.stop, self.step))]
