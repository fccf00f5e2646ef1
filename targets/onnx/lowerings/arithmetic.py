"""Element-wise arithmetic, products of two activations, sums and means over feature axes."""

from __future__ import annotations

import math

from spikeport.convert.ops import (
    Add,
    Complement,
    MatMul,
    Mean,
    Multiply,
    Scale,
    Subtract,
    Sum,
    Threshold,
)
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import stateless


@stateless(Add)
def add(at: Place, op: Add, a: str, b: str) -> str:
    return at.op("Add", a, b)


@stateless(Subtract)
def subtract(at: Place, op: Subtract, a: str, b: str) -> str:
    return at.op("Sub", a, b)


@stateless(Multiply)
def multiply(at: Place, op: Multiply, a: str, b: str) -> str:
    return at.op("Mul", a, b)


@stateless(MatMul)
def matmul(at: Place, op: MatMul, a: str, b: str) -> str:
    return at.op("MatMul", a, b)


@stateless(Complement)
def complement(at: Place, op: Complement, x: str) -> str:
    return at.op("Sub", at.scalar(1.0), x)


@stateless(Scale)
def scale(at: Place, op: Scale, x: str) -> str:
    """Rounded as written: first the product, then the quotient."""
    if op.factor != 1.0:
        x = at.op("Mul", x, at.scalar(op.factor))
    return x if op.divisor == 1.0 else at.op("Div", x, at.scalar(op.divisor))


@stateless(Sum)
def total(at: Place, op: Sum, x: str) -> str:
    axes = at.integers(*(axis + 1 for axis in op.axes))
    return at.op("ReduceSum", x, axes, keepdims=int(op.keep))


@stateless(Mean)
def mean(at: Place, op: Mean, x: str) -> str:
    """A sum and one division, as PyTorch has it: the sum of spikes is exact."""
    axes = at.integers(*(axis + 1 for axis in op.axes))
    count = math.prod(at.shapes[0][axis] for axis in op.axes)
    return at.op("Div", at.op("ReduceSum", x, axes, keepdims=int(op.keep)), at.scalar(count))


@stateless(Threshold)
def threshold(at: Place, op: Threshold, x: str) -> str:
    fired = at.op("Greater" if op.strict else "GreaterOrEqual", x, at.parameter("value", op.value))
    return at.op("Cast", fired, to=at.emit.onnx_type)
