"""The ops that cross time steps without a state of their own."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain, scaled, summed
from spikeport.convert.ops.base import Op, Shape, op


@dataclass(frozen=True, eq=False)
class OverTime(Op):
    """An op that sums over all time steps, one after the other, and gives one value per sample.

    The order of the sum is part of its meaning: whoever runs step by step gets the same bits.
    """

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_per_step(self, *inputs: bool) -> bool:
        if not inputs[0]:
            raise ValueError("its input has no time axis")
        return False

    def over(self, values: Tensor) -> Tensor:
        """From `[T, B, *shape]` to `[B, *shape]`."""
        total = values[0]
        for value in values[1:]:
            total = total + value
        return self.read(total, len(values))

    def read(self, total: Tensor, steps: int) -> Tensor:
        """The value `[B, *shape]` that the sum of so many steps stands for."""
        raise TypeError(f"{type(self).__name__} has no rule to compute it")


@op("mean_time")
@dataclass(frozen=True, eq=False)
class MeanTime(OverTime):
    """y = (1 / T) sum over t of x[t]: from each step to once per sample."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return scaled(inputs[0])

    def keeps_whole(self) -> bool:
        return False

    def read(self, total: Tensor, steps: int) -> Tensor:
        return total / steps


@op("sum_time")
@dataclass(frozen=True, eq=False)
class SumTime(OverTime):
    """y = sum over t of x[t]: from each step to once per sample, as a count of spikes."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return summed(inputs[0])

    def read(self, total: Tensor, steps: int) -> Tensor:
        return total


@op("repeat_time")
@dataclass(frozen=True, eq=False)
class RepeatTime(Op):
    """y[t] = x for t = 0 .. steps - 1: a static image shown at each step."""

    steps: int

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def infer_per_step(self, *inputs: bool) -> bool:
        if inputs[0]:
            raise ValueError("its input has a time axis already")
        return True
