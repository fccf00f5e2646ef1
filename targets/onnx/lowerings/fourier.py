"""The real part of a Fourier transform as products with cosines and sines."""

from __future__ import annotations

import math

import numpy as np

from spikeport.convert.ops import Fourier
from spikeport.targets.onnx.emitter import Array, Place
from spikeport.targets.onnx.lowerings.base import stateless


@stateless(Fourier)
def fourier(at: Place, op: Fourier, x: str) -> str:
    """Axis by axis y = (C - i S) x; the imaginary part starts as none and is left off at the end.

    Matrices instead of the DFT op: tokens and channels are few, and onnxruntime 1.32 is up to
    300 times less exact (6e-3 at 576 tokens in float32) and no faster.
    """
    real, imaginary = x, ""
    for index, axis in enumerate(op.axes):
        last = index == len(op.axes) - 1
        cosines = _along(at, real, axis, "cosines")
        if imaginary:
            cosines = at.op("Add", cosines, _along(at, imaginary, axis, "sines"))
        if not last:
            sines = at.op("Neg", _along(at, real, axis, "sines"))
            if imaginary:
                sines = at.op("Add", sines, _along(at, imaginary, axis, "cosines"))
            imaginary = sines
        real = cosines
    count = math.prod(at.node.shape[axis] for axis in op.axes)
    return at.op("Mul", real, at.scalar(1 / math.sqrt(count)))


def _along(at: Place, x: str, axis: int, kind: str) -> str:
    """The product of a matrix with each vector along a feature axis."""
    rank = len(at.node.shape)
    matrix = at.parameter(f"{kind}{at.node.shape[axis]}", _matrix(at.node.shape[axis], kind))
    if axis == rank - 1:
        return at.op("MatMul", x, matrix)  # symmetric, so it needs no transposition
    order = list(range(rank + 1))
    order[axis + 1], order[-1] = order[-1], order[axis + 1]
    turned = at.op("MatMul", at.op("Transpose", x, perm=order), matrix)
    return at.op("Transpose", turned, perm=order)


def _matrix(size: int, kind: str) -> Array:
    """cos or sin of 2 pi j k / size; where they are 0, 1 or -1, exactly that."""
    turns = np.outer(np.arange(size), np.arange(size)) % size
    values = (np.cos if kind == "cosines" else np.sin)(2 * np.pi * turns / size)
    quarters = 4 * turns % size == 0
    return np.where(quarters, values.round(), values)
