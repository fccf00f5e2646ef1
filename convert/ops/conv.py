"""Convolution over one or two spatial axes."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.ops.base import Shape, Stateless, op


@op("conv")
@dataclass(frozen=True, eq=False)
class Conv(Stateless):
    """y[o, p] = b[o] + sum over c, k of w[o, c, k] x[g(o) + c, p stride + k dilation - padding].

    `weight` is `[C_out, C_in / groups, *kernel]` with one or two kernel axes, `bias` `[C_out]`;
    zero padding. Input `[C_in, *space]`, output `[C_out, *space']`.
    """

    weight: Tensor
    bias: Tensor | None
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1

    def __post_init__(self) -> None:
        for name in ("stride", "padding", "dilation"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def kernel(self) -> tuple[int, ...]:
        return tuple(self.weight.shape[2:])

    @property
    def in_channels(self) -> int:
        return int(self.weight.shape[1]) * self.groups

    @property
    def out_channels(self) -> int:
        return int(self.weight.shape[0])

    def infer_shape(self, *inputs: Shape) -> Shape:
        if self.weight.ndim not in (3, 4) or (
            self.bias is not None and self.bias.shape != self.weight.shape[:1]
        ):
            raise ValueError("its weight or bias has the wrong shape")
        channels, *space = inputs[0]
        if channels != self.in_channels or len(space) != len(self.kernel):
            raise ValueError(f"expects [{self.in_channels}, *{len(self.kernel)} axes]")
        reach = (d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilation, strict=True))
        out = tuple(
            (size + 2 * pad - extent) // stride + 1
            for size, pad, extent, stride in zip(
                space, self.padding, reach, self.stride, strict=True
            )
        )
        if min(out) < 1:
            raise ValueError(f"kernel {self.kernel} does not fit into {tuple(space)}")
        return (self.out_channels, *out)

    def apply(self, *inputs: Tensor) -> Tensor:
        convolve = F.conv1d if len(self.kernel) == 1 else F.conv2d
        return convolve(
            inputs[0],
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )
