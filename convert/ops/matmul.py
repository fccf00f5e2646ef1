"""Product of two activations, as in spiking self-attention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch import Tensor

from spikeport.convert.domain import Domain, product
from spikeport.convert.ops.base import Shape, Stateless, op


@op("matmul")
@dataclass(frozen=True, eq=False)
class MatMul(Stateless):
    """y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]; both from the network, no weights."""

    arity: ClassVar[int | None] = 2

    def infer_shape(self, *inputs: Shape) -> Shape:
        a, b = inputs
        if len(a) != len(b) or len(a) < 2 or a[-1] != b[-2]:
            raise ValueError(f"shapes {a} and {b} do not multiply")
        return (*np.broadcast_shapes(a[:-2], b[:-2]), a[-2], b[-1])

    def infer_domain(self, *inputs: Domain) -> Domain:
        result = product(*inputs)
        return Domain.GRADED if result is Domain.SPIKE else result

    def apply(self, *inputs: Tensor) -> Tensor:
        return inputs[0] @ inputs[1]
