"""Mean and sum over feature axes, within one time step."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.domain import Domain, scaled, summed
from spikeport.convert.ops.base import Shape, Stateless, op


@dataclass(frozen=True, eq=False)
class _Reduce(Stateless):
    axes: tuple[int, ...]
    keep: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(sorted(self.axes)))
        if len(set(self.axes)) != len(self.axes) or min(self.axes, default=0) < 0:
            raise ValueError(f"cannot run over axes {self.axes}")

    def infer_shape(self, *inputs: Shape) -> Shape:
        if not self.axes or self.axes[-1] >= len(inputs[0]):
            raise ValueError(f"has no axes {self.axes}")
        if self.keep:
            return tuple(1 if i in self.axes else size for i, size in enumerate(inputs[0]))
        return tuple(size for i, size in enumerate(inputs[0]) if i not in self.axes)

    @property
    def _dims(self) -> tuple[int, ...]:
        return tuple(axis + 1 for axis in self.axes)


@op("mean")
@dataclass(frozen=True, eq=False)
class Mean(_Reduce):
    """y = mean of x over the feature axes `axes` (kept with size 1 if `keep`)."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return scaled(inputs[0])

    def keeps_whole(self) -> bool:
        return False

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0].mean(self._dims, keepdim=self.keep)


@op("sum")
@dataclass(frozen=True, eq=False)
class Sum(_Reduce):
    """y = sum of x over the feature axes `axes` (kept with size 1 if `keep`)."""

    def infer_domain(self, *inputs: Domain) -> Domain:
        return summed(inputs[0])

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0].sum(self._dims, keepdim=self.keep)
