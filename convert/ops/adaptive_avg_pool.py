"""Average over windows that share the input evenly."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain, scaled
from spikeport.convert.ops.base import Shape, Stateless, op


def adaptive_windows(size: int, outputs: int) -> list[range]:
    """The input positions that each output of PyTorch's adaptive pooling averages, on one axis."""
    return [range(i * size // outputs, -(-(i + 1) * size // outputs)) for i in range(outputs)]


@op("adaptive_avg_pool")
@dataclass(frozen=True, eq=False)
class AdaptiveAvgPool(Stateless):
    """y[c, p] = mean over window p of x[c], windows as in `adaptive_windows`. `[C, *space]`.

    Sums are rounded as PyTorch's adaptive pooling rounds them, which is not how average pooling
    does. Input and output sizes are fields, since what an output carries depends on both.
    """

    size: tuple[int, ...]
    output: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("size", "output"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        if not 1 <= len(self.size) == len(self.output) <= 2 or min(*self.size, *self.output) < 1:
            raise ValueError(f"cannot pool {self.size} to {self.output}")

    def windows(self) -> list[list[range]]:
        """The windows on each axis."""
        return [adaptive_windows(*axis) for axis in zip(self.size, self.output, strict=True)]

    def infer_shape(self, *inputs: Shape) -> Shape:
        if len(inputs[0]) != len(self.size) + 1 or inputs[0][1:] != self.size:
            raise ValueError(f"expects [C, {', '.join(map(str, self.size))}]")
        return (inputs[0][0], *self.output)

    def infer_domain(self, *inputs: Domain) -> Domain:
        lengths = [{len(window) for window in axis} for axis in self.windows()]
        if all(length == {1} for length in lengths):
            return inputs[0]  # copies
        # Windows of several sizes have several divisors: no one constant.
        return scaled(inputs[0]) if all(len(each) == 1 for each in lengths) else Domain.REAL

    def keeps_whole(self) -> bool:
        return False

    def apply(self, *inputs: Tensor) -> Tensor:
        if len(self.output) == 1:
            return F.adaptive_avg_pool1d(inputs[0], self.output[0])
        return F.adaptive_avg_pool2d(inputs[0], (self.output[0], self.output[1]))
