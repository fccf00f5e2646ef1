"""Several tensors one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from spikeport.convert.domain import Domain, joined
from spikeport.convert.ops.base import Shape, Stateless, op


@op("concat")
@dataclass(frozen=True, eq=False)
class Concat(Stateless):
    """The inputs one after the other along feature axis `axis`, in the order of their ports."""

    arity: ClassVar[int | None] = None

    axis: int

    def infer_shape(self, *inputs: Shape) -> Shape:
        first = inputs[0]
        if not 0 <= self.axis < len(first):
            raise ValueError(f"there is no axis {self.axis}")
        around = {(*shape[: self.axis], *shape[self.axis + 1 :]) for shape in inputs}
        if len(around) != 1 or len({len(shape) for shape in inputs}) != 1:
            raise ValueError(f"shapes {inputs} differ in more than axis {self.axis}")
        total = sum(shape[self.axis] for shape in inputs)
        return (*first[: self.axis], total, *first[self.axis + 1 :])

    def infer_domain(self, *inputs: Domain) -> Domain:
        return joined(*inputs)

    def apply(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, self.axis + 1)
