"""Fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.ops.base import Shape, Stateless, op


@op("linear")
@dataclass(frozen=True, eq=False)
class Linear(Stateless):
    """y[..., o] = b[o] + sum over i of w[o, i] x[..., i], `weight` `[out, in]`, `bias` `[out]`."""

    weight: Tensor
    bias: Tensor | None

    @property
    def in_features(self) -> int:
        return int(self.weight.shape[1])

    @property
    def out_features(self) -> int:
        return int(self.weight.shape[0])

    def infer_shape(self, *inputs: Shape) -> Shape:
        if self.bias is not None and self.bias.shape != self.weight.shape[:1]:
            raise ValueError("its bias has the wrong shape")
        if not inputs[0] or inputs[0][-1] != self.in_features:
            raise ValueError(f"expects [..., {self.in_features}]")
        return (*inputs[0][:-1], self.out_features)

    def apply(self, *inputs: Tensor) -> Tensor:
        return F.linear(inputs[0], self.weight, self.bias)
