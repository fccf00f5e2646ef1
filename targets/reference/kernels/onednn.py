"""oneDNN's convolution and matrix product with weights that are laid out once.

The operations are those that PyTorch's own compiler calls. They are tried before they are used, and
`torch.nn.functional` stands in where they are missing or disagree.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.ops import Conv


class PackedConv:
    """A 2-D convolution `[N, C, H, W]` whose weight is laid out for the sizes of the last call."""

    def __init__(self, op: Conv, dtype: torch.dtype) -> None:
        self._weight = op.weight  # of the graph: no copy is kept beside the one laid out
        self._bias = None if op.bias is None else op.bias.to(dtype)
        self._dtype = dtype
        # One spatial axis is two, the first of them of size 1.
        self._one = len(op.kernel) == 1
        ones, zeros = ([1], [0]) if self._one else ([], [])
        self._stride, self._padding = [*ones, *op.stride], [*zeros, *op.padding]
        self._dilation, self._groups = [*ones, *op.dilation], op.groups
        self._packed: tuple[list[int], Tensor] | None = None

    def __call__(self, x: Tensor, other: Tensor | None = None, spare: bool = False) -> Tensor:
        """The convolution, plus `other` if given; `spare`: in the place of `other`."""
        weight = self._weight_for(x)
        window = (self._padding, self._stride, self._dilation, self._groups)
        ops = torch.ops.mkldnn
        result: Tensor
        if other is None:
            result = ops._convolution_pointwise(x, weight, self._bias, *window, "none", [], "")
            return result
        added: tuple[object, ...] = (*window, "add", None, None, [], None)
        if spare:
            result = ops._convolution_pointwise_.binary(other, x, weight, self._bias, *added)
        else:
            result = ops._convolution_pointwise.binary(x, other, weight, self._bias, *added)
        return result

    def _weight_for(self, x: Tensor) -> Tensor:
        size = list(x.shape)
        if self._packed is None or self._packed[0] != size:
            weight = self._weight.to(self._dtype)
            weight = weight.unsqueeze(2) if self._one else weight
            packed = torch.ops.mkldnn._reorder_convolution_weight(
                weight, self._padding, self._stride, self._dilation, self._groups, size
            )
            self._packed = size, packed
        return self._packed[1]


class PackedLinear:
    """y = x w^T + b on the last axis."""

    def __init__(self, weight: Tensor, bias: Tensor | None, dtype: torch.dtype) -> None:
        self._bias = None if bias is None else bias.to(dtype)
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.to(dtype))

    def __call__(self, x: Tensor) -> Tensor:
        ops = torch.ops.mkldnn
        result: Tensor = ops._linear_pointwise(x, self._weight, self._bias, "none", [], "")
        return result


@functools.cache
def works(dtype: torch.dtype) -> bool:
    """Whether this PyTorch and this processor have them, and they compute what they should."""
    available = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not available or dtype not in (torch.float32, torch.bfloat16):
        return False
    try:
        return _agrees(dtype)
    except (RuntimeError, AttributeError, NotImplementedError):
        return False


def _agrees(dtype: torch.dtype) -> bool:
    """Small whole numbers: every order of summation gives the same result."""
    numbers = torch.arange(2 * 8 * 5 * 5, device="cpu").remainder(7).sub(3).to(dtype)
    x = numbers.reshape(2, 8, 5, 5).contiguous(memory_format=torch.channels_last)
    weight = torch.arange(6 * 8 * 9, device="cpu").remainder(3).sub(1).to(dtype)
    bias = torch.arange(6, device="cpu").to(dtype)
    op = Conv(weight.reshape(6, 8, 3, 3), bias, (2, 2), (1, 1), (1, 1))
    conv = PackedConv(op, dtype)
    expected = op.apply(x)
    other = torch.ones_like(expected).contiguous(memory_format=torch.channels_last)
    flat, matrix = numbers.reshape(50, 8), weight[:48].reshape(6, 8)
    return (
        torch.equal(conv(x), expected)
        and torch.equal(conv(x, other), expected + 1)
        and torch.equal(conv(x, other, spare=True), expected + 1)
        and torch.equal(PackedLinear(matrix, bias, dtype)(flat), F.linear(flat, matrix, bias))
    )
