"""Feedback: what another node computed one time step earlier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Op, Shape, op


@op("delay")
@dataclass(frozen=True, eq=False)
class Delay(Op):
    """y[0] = 0, y[t + 1] = x[t], x the output of node `source`: the edge that closes a loop.

    The source is named by a field, not by an edge, so that the edges of a graph stay acyclic.
    Its domain is declared, and must hold what the source carries (0 is in every domain).
    """

    arity: ClassVar[int | None] = 0

    source: str
    shape: Shape
    domain: Domain

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "domain", Domain(self.domain))

    @property
    def feedback(self) -> str | None:
        return self.source

    def infer_shape(self, *inputs: Shape) -> Shape:
        return self.shape

    def infer_domain(self, *inputs: Domain) -> Domain:
        return self.domain

    def infer_per_step(self, *inputs: bool) -> bool:
        return True
