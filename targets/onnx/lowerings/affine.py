"""Layers with weights that are no convolution, and sums and products with parameters."""

from __future__ import annotations

from spikeport.convert.ops import AddConstant, BatchNorm, Linear, MultiplyConstant
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import stateless


@stateless(Linear)
def linear(at: Place, op: Linear, x: str) -> str:
    product = at.op("MatMul", x, at.parameter("weight", op.weight.T))
    return product if op.bias is None else at.op("Add", product, at.parameter("bias", op.bias))


@stateless(BatchNorm)
def batch_norm(at: Place, op: BatchNorm, x: str) -> str:
    """A product and a sum: ONNX holds eps in float32 only. Runtimes fold both into convolutions."""
    behind = [1] * (len(at.node.shape) - 1)
    gain, offset = (value.reshape(-1, *behind) for value in op.affine())
    return at.op("Add", at.op("Mul", x, at.parameter("gain", gain)), at.parameter("offset", offset))


@stateless(AddConstant)
def add_constant(at: Place, op: AddConstant, x: str) -> str:
    return at.op("Add", x, at.parameter("value", op.value))


@stateless(MultiplyConstant)
def multiply_constant(at: Place, op: MultiplyConstant, x: str) -> str:
    return at.op("Mul", x, at.parameter("value", op.value))
