"""Ops that move values without changing them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


@op("reshape")
@dataclass(frozen=True, eq=False)
class Reshape(Stateless):
    """The same values in the same order under another shape (time and batch axes stay)."""

    shape: Shape

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))

    def infer_shape(self, *inputs: Shape) -> Shape:
        if math.prod(inputs[0]) != math.prod(self.shape):
            raise ValueError(f"cannot reshape {inputs[0]} to {self.shape}")
        return self.shape

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0].reshape(inputs[0].shape[0], *self.shape)


@op("permute")
@dataclass(frozen=True, eq=False)
class Permute(Stateless):
    """Output axis i is input axis order[i] (time and batch axes stay in front)."""

    order: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "order", tuple(self.order))

    def infer_shape(self, *inputs: Shape) -> Shape:
        if sorted(self.order) != list(range(len(inputs[0]))):
            raise ValueError(f"order {self.order} does not permute {inputs[0]}")
        return tuple(inputs[0][axis] for axis in self.order)

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0].permute(0, *(axis + 1 for axis in self.order))
