"""Saturation of currents."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.ops import Shape, Stateless, op


@op("saturating.clip")
@dataclass(frozen=True, eq=False)
class Clip(Stateless):
    """y = min(max(x, -limit), limit)."""

    limit: float

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise ValueError(f"a limit of {self.limit} leaves nothing")

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0].clamp(-self.limit, self.limit)
