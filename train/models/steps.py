"""All time steps at once through a layer that knows no time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def per_step(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply `layer`, which maps `[N, ...]` to `[N, ...]`, to `[T, B, ...]`."""
    y = layer(x.flatten(0, 1))
    return y.reshape(x.shape[0], x.shape[1], *y.shape[1:])


def channels_last(x: Tensor) -> Tensor:
    """Images or frames `[..., C, H, W]` as they lie best on a CPU; what follows stays that way.

    On two cores the max pooling of a CIFAR Max-Former takes 6 ms there instead of 86, and its
    convolutions a fifth less (`benchmarks/zoo_speed.py`).
    """
    if x.device.type != "cpu" or torch.compiler.is_exporting():
        return x
    return x.movedim(-3, -1).contiguous().movedim(-1, -3)
