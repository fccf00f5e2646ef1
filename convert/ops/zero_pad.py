"""A margin of zeros."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


@op("zero_pad")
@dataclass(frozen=True, eq=False)
class ZeroPad(Stateless):
    """x with `before[i]` zeros in front of feature axis i and `after[i]` behind it."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("before", "after"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if min((*self.before, *self.after), default=0) < 0:
            raise ValueError("a margin cannot be negative")

    def infer_shape(self, *inputs: Shape) -> Shape:
        margins = zip(inputs[0], self.before, self.after, strict=True)
        return tuple(size + before + after for size, before, after in margins)

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        margins = zip(reversed(self.before), reversed(self.after), strict=True)
        return F.pad(inputs[0], [size for margin in margins for size in margin])
