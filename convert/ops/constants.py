"""Sums and products with parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Op, Shape, Stateless, op


def check_broadcast(shape: Shape, value: Shape) -> Shape:
    """The shape of the features, if a parameter broadcasts to it.

    Raises:
        ValueError: it does not.
    """
    if len(value) > len(shape) or np.broadcast_shapes(shape, value) != shape:
        raise ValueError(f"a constant {value} does not fit")
    return shape


@op("add_constant")
@dataclass(frozen=True, eq=False)
class AddConstant(Stateless):
    """y = x + value, the same at each step and for each sample; `value` broadcasts to x."""

    value: Tensor

    def infer_shape(self, *inputs: Shape) -> Shape:
        return check_broadcast(inputs[0], tuple(self.value.shape))

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0] + self.value


@op("multiply_constant")
@dataclass(frozen=True, eq=False)
class MultiplyConstant(Stateless):
    """y = x value, a factor per element or channel (as layer scale); `value` broadcasts to x."""

    value: Tensor

    def infer_shape(self, *inputs: Shape) -> Shape:
        return check_broadcast(inputs[0], tuple(self.value.shape))

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0] * self.value


@op("add_per_step")
@dataclass(frozen=True, eq=False)
class AddPerStep(Op):
    """y[t] = x[t] + value[t], as a temporal embedding; `value` `[T, *shape]` fixes T.

    Each `value[t]` broadcasts to x.
    """

    value: Tensor

    @property
    def steps(self) -> int:
        return int(self.value.shape[0])

    def infer_shape(self, *inputs: Shape) -> Shape:
        if self.value.ndim != len(inputs[0]) + 1:
            raise ValueError(f"a constant {tuple(self.value.shape)} is not [T, *{inputs[0]}]")
        return check_broadcast(inputs[0], tuple(self.value.shape[1:]))

    def infer_domain(self, *inputs: Domain) -> Domain:
        return Domain.REAL

    def infer_per_step(self, *inputs: bool) -> bool:
        if not inputs[0]:
            raise ValueError("its input has no time axis")
        return True

    def at(self, step: int, x: Tensor) -> Tensor:
        """The output `[B, *shape]` at one step."""
        return x + self.value[step]
