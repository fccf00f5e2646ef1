"""Element-wise sum, product and scaling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from spikeport.convert.domain import Domain, product, scaled, total
from spikeport.convert.ops.base import Shape, Stateless, op


@dataclass(frozen=True, eq=False)
class _Pairwise(Stateless):
    arity: ClassVar[int | None] = 2

    def infer_shape(self, *inputs: Shape) -> Shape:
        if len({len(shape) for shape in inputs}) != 1:
            raise ValueError(f"shapes {inputs} differ in their number of axes")
        return np.broadcast_shapes(*inputs)


@op("add")
@dataclass(frozen=True, eq=False)
class Add(_Pairwise):
    """y = a + b."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return total(*inputs)

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0] + inputs[1]


@op("subtract")
@dataclass(frozen=True, eq=False)
class Subtract(_Pairwise):
    """y = a - b."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return total(*inputs)

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0] - inputs[1]


@op("multiply")
@dataclass(frozen=True, eq=False)
class Multiply(_Pairwise):
    """y = a b: a mask where one of the two carries spikes."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return product(*inputs)

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0] * inputs[1]


@op("scale")
@dataclass(frozen=True, eq=False)
class Scale(Stateless):
    """y = factor x / divisor, rounded as written: x / 49 is not x * (1 / 49) at a threshold."""

    factor: float = 1.0
    divisor: float = 1.0

    @property
    def ratio(self) -> float:
        """What it multiplies with, up to rounding."""
        return self.factor / self.divisor

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0] if self.factor == self.divisor else scaled(inputs[0])

    def keeps_whole(self) -> bool:
        return self.divisor == 1.0 and self.factor.is_integer()

    def apply(self, *inputs: Tensor) -> Tensor:
        if not inputs[0].is_floating_point():
            return inputs[0] * int(self.factor)
        scaled_up = inputs[0] if self.factor == 1.0 else inputs[0] * self.factor
        return scaled_up if self.divisor == 1.0 else scaled_up / self.divisor
