"""Mean by a shift."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.ops import Shape, Stateless, op


@op("lava.mean")
@dataclass(frozen=True, eq=False)
class LavaMean(Stateless):
    """y = (sum of x over `axes` + 2^(bits - 1)) >> bits: the mean of 2^bits values, halves up.

    `axes` are feature axes; they stay with size 1 if `keep`.
    """

    axes: tuple[int, ...]
    bits: int
    keep: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(sorted(self.axes)))

    def infer_shape(self, *inputs: Shape) -> Shape:
        if not self.axes or self.axes[-1] >= len(inputs[0]):
            raise ValueError(f"has no axes {self.axes}")
        count = 1
        for axis in self.axes:
            count *= inputs[0][axis]
        if count != 2**self.bits:
            raise ValueError(f"averages {count} values, not 2^{self.bits}")
        if self.keep:
            return tuple(1 if i in self.axes else size for i, size in enumerate(inputs[0]))
        return tuple(size for i, size in enumerate(inputs[0]) if i not in self.axes)

    def apply(self, *inputs: Tensor) -> Tensor:
        total = inputs[0].sum(tuple(axis + 1 for axis in self.axes), keepdim=self.keep)
        if not self.bits:
            return total
        return torch.div(total + 2 ** (self.bits - 1), 2**self.bits, rounding_mode="floor")
