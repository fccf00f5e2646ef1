"""What all poolings over a window have in common."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.ops.base import Shape, Stateless


def pooled_shape(
    shape: Shape, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...]
) -> Shape:
    """Output shape of a pooling of `[C, *space]` over one or two axes, windows rounded down."""
    if not 1 <= len(kernel) <= 2 or len(shape) != len(kernel) + 1:
        raise ValueError(f"expects [C, *{len(kernel)} axes]")
    if any(2 * pad > k for k, pad in zip(kernel, padding, strict=True)):
        raise ValueError("its padding is more than half its window")
    space = tuple(
        (size + 2 * pad - k) // s + 1
        for size, k, s, pad in zip(shape[1:], kernel, stride, padding, strict=True)
    )
    if min(space) < 1:
        raise ValueError(f"window {kernel} does not fit into {shape[1:]}")
    return (shape[0], *space)


@dataclass(frozen=True, eq=False)
class WindowPool(Stateless):
    """A pooling of `[C, *space]`, channel by channel, over windows of one or two axes."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def infer_shape(self, *inputs: Shape) -> Shape:
        return pooled_shape(inputs[0], self.kernel, self.stride, self.padding)

    def sums(self, x: Tensor) -> Tensor:
        """Sum over each window of `[N, C, *space]`, zeros as padding."""
        channels = x.shape[1]
        ones = torch.ones((channels, 1, *self.kernel), dtype=x.dtype, device=x.device)
        convolve = F.conv1d if len(self.kernel) == 1 else F.conv2d
        return convolve(x, ones, None, self.stride, self.padding, groups=channels)
