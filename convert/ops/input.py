"""Where samples enter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Op, Shape, op


@op("input")
@dataclass(frozen=True, eq=False)
class Input(Op):
    """y[t] = the frame of step t (`per_step`), or y = the one static image.

    The domain is declared by whoever traces, since a batch that happens to hold zeros and ones
    proves nothing: event counts are graded, binarised events spike, images real.
    """

    arity: ClassVar[int | None] = 0

    shape: Shape
    domain: Domain
    per_step: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "domain", Domain(self.domain))

    def infer_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def infer_domain(self, *inputs: Domain) -> Domain:
        return self.domain

    def infer_per_step(self, *inputs: bool) -> bool:
        return self.per_step
