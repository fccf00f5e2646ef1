"""Lava orders axes (W, H, C), PyTorch (C, H, W)."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


def _padded(shape: Shape) -> Shape:
    """At least three axes: [C] -> [C, 1, 1], [C, L] -> [C, 1, L], so that W is the last."""
    if len(shape) == 1:
        return (shape[0], 1, 1)
    return (shape[0], 1, shape[1]) if len(shape) == 2 else shape


def lava_shape(shape: Shape) -> Shape:
    """Shape of a port for a value that has this shape in the graph: axes in reverse order."""
    return _padded(shape)[::-1]


def to_lava(value: Array) -> Array:
    """From the graph's layout to Lava's."""
    return value.reshape(_padded(value.shape)).transpose()


def to_graph(value: Array, shape: Shape) -> Array:
    """From Lava's layout to the graph's, in which it has this shape."""
    return value.transpose().reshape(shape)
