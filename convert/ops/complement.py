"""The opposite of a spike."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


@op("complement")
@dataclass(frozen=True, eq=False)
class Complement(Stateless):
    """y = 1 - x: NOT of a spike, as the IAND shortcut of SEW-ResNet has it."""

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0] if inputs[0].is_whole else Domain.REAL

    def apply(self, *inputs: Tensor) -> Tensor:
        return 1 - inputs[0]
