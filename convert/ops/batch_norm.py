"""Batch norm with running statistics, until a pass folds it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.ops.base import Shape, Stateless, op


@op("batch_norm")
@dataclass(frozen=True, eq=False)
class BatchNorm(Stateless):
    """y[c] = gain[c] (x[c] - mean[c]) / sqrt(var[c] + eps) + offset[c], c the first axis."""

    mean: Tensor
    var: Tensor
    gain: Tensor | None
    offset: Tensor | None
    eps: float

    def infer_shape(self, *inputs: Shape) -> Shape:
        given = (self.var, self.gain, self.offset)
        if any(value is not None and value.shape != self.mean.shape for value in given):
            raise ValueError("its parameters differ in length")
        if not inputs[0] or inputs[0][0] != len(self.mean):
            raise ValueError(f"expects [{len(self.mean)}, ...]")
        return inputs[0]

    def keeps_whole(self) -> bool:
        return False

    def apply(self, *inputs: Tensor) -> Tensor:
        return torch.nn.functional.batch_norm(
            inputs[0], self.mean, self.var, self.gain, self.offset, training=False, eps=self.eps
        )

    def affine(self) -> tuple[Tensor, Tensor]:
        """Gain and offset per channel such that y = gain x + offset, float64."""
        scale = torch.rsqrt(self.var.double() + self.eps)
        if self.gain is not None:
            scale = scale * self.gain.double()
        shift = -self.mean.double() * scale
        return scale, shift if self.offset is None else shift + self.offset.double()
