"""Maximum over a window."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.ops.base import Shape, Stateless, op


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


@op("max_pool")
@dataclass(frozen=True, eq=False)
class MaxPool(Stateless):
    """y[c, p] = max over k of x[c, p * stride + k - padding], padding never wins. `[C, *space]`."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]

    def __post_init__(self) -> None:
        for name in ("kernel", "stride", "padding"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def infer_shape(self, *inputs: Shape) -> Shape:
        return pooled_shape(inputs[0], self.kernel, self.stride, self.padding)

    def infer_domain(self, *inputs: Domain) -> Domain:
        return inputs[0]

    def apply(self, *inputs: Tensor) -> Tensor:
        pool = F.max_pool1d if len(self.kernel) == 1 else F.max_pool2d
        return pool(inputs[0], self.kernel, self.stride, self.padding)
