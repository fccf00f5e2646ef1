"""The two ops that cross time steps without a state of their own."""

from __future__ import annotations

from dataclasses import dataclass

from spikeport.convert.domain import Domain, scaled
from spikeport.convert.ops.base import Op, Shape, op


@op("mean_time")
@dataclass(frozen=True, eq=False)
class MeanTime(Op):
    """y = (1 / T) sum over t of x[t]: from each step to once per sample."""

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return scaled(inputs[0])

    def infer_per_step(self, *inputs: bool) -> bool:
        if not inputs[0]:
            raise ValueError("its input has no time axis")
        return False


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
