"""Convolution: one node in float32, taps and a matrix product in float64."""

from __future__ import annotations

from spikeport.convert.ops import Conv
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import stateless
from spikeport.targets.onnx.lowerings.windows import Windows


@stateless(Conv)
def conv(at: Place, op: Conv, x: str) -> str:
    if at.double:
        return _as_product(at, op, x)
    parameters = [at.parameter("weight", op.weight)]
    if op.bias is not None:
        parameters.append(at.parameter("bias", op.bias))
    return at.op(
        "Conv",
        x,
        *parameters,
        kernel_shape=op.kernel,
        strides=op.stride,
        pads=(*op.padding, *op.padding),
        dilations=op.dilation,
        group=op.groups,
    )


def _as_product(at: Place, op: Conv, x: str) -> str:
    """onnxruntime 1.32 has no Conv for float64 on CPUs."""
    groups, each = op.groups, op.in_channels // op.groups
    windows = Windows(op.kernel, op.stride, op.padding, op.dilation)
    taps = [at.reshaped(tap, groups, each, windows.places(at.node)) for tap in windows.taps(at, x)]
    columns = taps[0] if len(taps) == 1 else at.op("Concat", *taps, axis=2)
    # [C_out, C_in / groups, *kernel] -> [groups, C_out / groups, taps * C_in / groups]
    weight = op.weight.flatten(2).transpose(1, 2).reshape(groups, op.out_channels // groups, -1)
    product = at.op("MatMul", at.parameter("weight", weight), columns)
    result = at.reshaped(product, *at.node.shape)
    if op.bias is None:
        return result
    bias = op.bias.reshape(-1, *[1] * len(op.kernel))
    return at.op("Add", result, at.parameter("bias", bias))
