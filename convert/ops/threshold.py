"""A spike without a membrane."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op
from spikeport.convert.ops.constants import check_broadcast


@op("threshold")
@dataclass(frozen=True, eq=False)
class Threshold(Stateless):
    """y = 1 if x > value (x >= value unless `strict`), else 0; `value` broadcasts to x."""

    value: Tensor
    strict: bool

    def infer_shape(self, *inputs: Shape) -> Shape:
        return check_broadcast(inputs[0], tuple(self.value.shape))

    def infer_domain(self, *inputs: Domain) -> Domain:
        return Domain.SPIKE

    def keeps_whole(self) -> bool:
        return False

    def apply(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return (x > self.value if self.strict else x >= self.value).to(x.dtype)
