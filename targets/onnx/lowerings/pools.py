"""Maxima and means over windows, rounded as PyTorch rounds them."""

from __future__ import annotations

import math

import numpy as np

from spikeport.convert.ops import AdaptiveAvgPool, AvgPool, MaxPool, SumPool
from spikeport.targets.onnx.emitter import Array, Place
from spikeport.targets.onnx.lowerings.base import stateless
from spikeport.targets.onnx.lowerings.windows import Windows


@stateless(MaxPool)
def max_pool(at: Place, op: MaxPool, x: str) -> str:
    pads = (*op.padding, *op.padding)
    return at.op("MaxPool", x, kernel_shape=op.kernel, strides=op.stride, pads=pads)


@stateless(SumPool)
def sum_pool(at: Place, op: SumPool | AvgPool, x: str) -> str:
    windows = Windows(op.kernel, op.stride, op.padding, (1,) * len(op.kernel))
    total, *taps = windows.taps(at, x)
    for tap in taps:
        total = at.op("Add", total, tap)
    return total


@stateless(AvgPool)
def avg_pool(at: Place, op: AvgPool, x: str) -> str:
    if at.double:
        return _as_sum(at, op, x)
    return at.op(
        "AveragePool",
        x,
        kernel_shape=op.kernel,
        strides=op.stride,
        pads=(*op.padding, *op.padding),
        count_include_pad=int(op.count_padding),
    )


def _as_sum(at: Place, op: AvgPool, x: str) -> str:
    """onnxruntime 1.32 has no AveragePool for float64 on CPUs."""
    total = sum_pool(at, op, x)
    if op.count_padding or not any(op.padding):
        return at.op("Div", total, at.scalar(math.prod(op.kernel)))
    return at.op("Div", total, at.parameter("counts", _counts(at, op)))


def _counts(at: Place, op: AvgPool) -> Array:
    """How many values each window holds, `[*output]`, without padding."""
    counts = np.ones((), dtype=np.int64)
    for size, *window in zip(at.shapes[0][1:], op.kernel, op.stride, op.padding, strict=True):
        kernel, stride, padding = window
        starts = [i * stride - padding for i in range((size + 2 * padding - kernel) // stride + 1)]
        axis = [min(start + kernel, size) - max(start, 0) for start in starts]
        counts = np.multiply.outer(counts, np.array(axis))
    return counts


@stateless(AdaptiveAvgPool)
def adaptive_avg_pool(at: Place, op: AdaptiveAvgPool, x: str) -> str:
    """Sums by 0/1 matrices, which are exact on whole numbers; then one division per axis."""
    if math.prod(op.output) == 1:
        axes = at.integers(*range(2, 2 + len(op.size)))
        total = at.op("ReduceSum", x, axes, keepdims=1)
        return at.op("Div", total, at.scalar(math.prod(op.size)))
    windows = op.windows()
    total = x
    for axis, (ranges, size) in enumerate(zip(windows, op.size, strict=True)):
        belongs = np.zeros((len(ranges), size))
        for index, window in enumerate(ranges):
            belongs[index, list(window)] = 1.0
        last = axis == len(op.size) - 1
        matrix = at.parameter(f"windows{axis}", belongs.T if last else belongs)
        total = at.op("MatMul", *((total, matrix) if last else (matrix, total)))
    for axis, ranges in enumerate(windows):
        lengths = np.array([len(window) for window in ranges], dtype=np.float64)
        behind = len(op.size) - 1 - axis
        divisors = at.parameter(f"lengths{axis}", lengths.reshape(-1, *[1] * behind))
        total = at.op("Div", total, divisors)
    return total
