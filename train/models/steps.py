"""All time steps at once through a layer that knows no time."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def per_step(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply `layer`, which maps `[N, ...]` to `[N, ...]`, to `[T, B, ...]`."""
    y = layer(x.flatten(0, 1))
    return y.reshape(x.shape[0], x.shape[1], *y.shape[1:])
