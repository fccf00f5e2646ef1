"""Fourier transform over feature axes, as in attention-free Spikformers."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


@op("fourier")
@dataclass(frozen=True, eq=False)
class Fourier(Stateless):
    """y = Re(FFT(x)) over the feature axes `axes`, orthonormal: divided by sqrt(their sizes)."""

    axes: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", tuple(sorted(self.axes)))
        if len(set(self.axes)) != len(self.axes) or not self.axes or self.axes[0] < 0:
            raise ValueError(f"cannot transform over axes {self.axes}")

    def infer_shape(self, *inputs: Shape) -> Shape:
        if self.axes[-1] >= len(inputs[0]):
            raise ValueError(f"has no axes {self.axes}")
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return Domain.REAL

    def keeps_whole(self) -> bool:
        return False

    def apply(self, *inputs: Tensor) -> Tensor:
        dims = tuple(axis + 1 for axis in self.axes)
        real: Tensor = torch.fft.fftn(inputs[0], dim=dims, norm="ortho").real
        return real
