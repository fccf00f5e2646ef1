"""Convolution of spikes or small counts with 8-bit weights, by oneDNN's integer kernels.

A weight is q 2^e with one exponent per output channel. The integer sum of q is taken first and
multiplied by 2^e afterwards, as float32, which is exact while the sum stays below 2^24.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor

from spikeport.convert.ops import Conv, Op
from spikeport.targets.lava.kernels.base import (
    SINGLE_LIMIT,
    Edge,
    Kernel,
    bounds_of,
    maker,
    merged,
    number,
    split,
)

WEIGHT_LIMIT = 127
PAIR_LIMIT = 2**15 - 1
"""Processors without 8-bit dot products add pairs of products in int16, which saturates."""
SHAPES_KEPT = 4
_VECTORS = ("AVX2", "AVX512")
_PROBE_EDGE = 8
"""Positions per axis at which a new kernel is compared with float64."""


def mantissas(weight: Tensor) -> tuple[Tensor, Tensor]:
    """q and e `[C_out]` with w = q 2^e, e as large as can be per output channel; int64."""
    whole = weight.to(torch.int64)
    bits = (whole & -whole).flatten(1)  # the lowest set bit of each, none of zero
    lowest = bits.masked_fill(bits == 0, 2**62).amin(1)
    exponents = torch.log2(lowest.double()).round().to(torch.int64)
    exponents = exponents.masked_fill(lowest == 2**62, 0)
    shape = (-1, *[1] * (weight.ndim - 1))
    return whole >> exponents.reshape(shape), exponents


class Geometry(NamedTuple):
    """Of a convolution over two axes."""

    stride: list[int]
    padding: list[int]
    dilation: list[int]
    groups: int


@dataclass(frozen=True)
class Int8Conv:
    """w = `q` * `scales`, `[C_out, C_in / groups, kh, kw]` int8 and `[C_out]` float32."""

    q: Tensor
    scales: Tensor
    geometry: Geometry
    why: str
    name: str = "int8 convolution"
    dtype: torch.dtype = torch.float32
    _packed: dict[torch.Size, Tensor] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """For copies and pickles: what oneDNN packed stays here."""
        return Int8Conv, (self.q, self.scales, self.geometry, self.why)

    def run(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        y = self._convolve(as_image(merged(x)))
        return split(y.squeeze(-1) if x.dim() == 4 else y, x)

    def _convolve(self, x: Tensor) -> Tensor:
        """`[N, C_in, H, W]` uint8 to `[N, C_out, H', W']` float32, channels last."""
        stride, padding, dilation, groups = self.geometry
        y: Tensor = torch.ops.onednn.qconv2d_pointwise(
            x.contiguous(memory_format=torch.channels_last),
            1.0,
            0,
            self._weight(x.shape),
            self.scales,
            torch.zeros(len(self.q), dtype=torch.int32),
            None,
            stride,
            padding,
            dilation,
            groups,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        return y

    def _weight(self, shape: torch.Size) -> Tensor:
        """In oneDNN's own order for inputs of this shape; for others it would sort at each call."""
        packed = self._packed.get(shape)
        if packed is None:
            packed = torch.ops.onednn.qconv_prepack(
                self.q, self.scales, 1.0, 0, *self.geometry, shape
            )
            if len(self._packed) >= SHAPES_KEPT:
                self._packed.clear()
            self._packed[shape] = packed
        return packed


def as_image(x: Tensor) -> Tensor:
    """`[N, C, L]` as `[N, C, L, 1]`."""
    return x.unsqueeze(-1) if x.dim() == 3 else x


@maker(Conv)
def int8_conv(op: Op, inputs: tuple[Edge, ...]) -> Kernel | None:
    (edge,) = inputs
    if not isinstance(op, Conv) or op.bias is not None or edge.dtype is not torch.uint8:
        return None
    if edge.is_negative or torch.backends.cpu.get_cpu_capability() not in _VECTORS:
        return None
    q, exponents = mantissas(op.weight)
    largest = int(q.abs().max())
    if largest > WEIGHT_LIMIT or 2 * largest * edge.largest > PAIR_LIMIT:
        return None
    bounds = bounds_of(op, inputs)
    if bounds is None or bounds.largest >= SINGLE_LIMIT:
        return None
    # Partial sums lie within the bounds too: zero is always among what is read.
    per_channel = torch.maximum(-bounds.low, bounds.high).flatten(1).amax(1)
    sums = float((per_channel / torch.exp2(exponents.double())).max())
    why = (
        f"inputs up to {number(edge.largest)}, weights up to {largest} 2^e, "
        f"sums up to {number(sums)} 2^e, below 2^24"
    )
    return _probed(_made(op, q.to(torch.int8), exponents, why), op, edge)


def _made(op: Conv, q: Tensor, exponents: Tensor, why: str) -> Int8Conv:
    def both(values: tuple[int, ...], missing: int) -> list[int]:
        return [*values, missing] if len(values) == 1 else list(values)

    geometry = Geometry(both(op.stride, 1), both(op.padding, 0), both(op.dilation, 1), op.groups)
    return Int8Conv(as_image(q).contiguous(), torch.exp2(exponents.float()), geometry, why)


def _probed(kernel: Int8Conv, op: Conv, edge: Edge) -> Int8Conv | None:
    """The kernel if it returns what float64 does: its ops are no public part of torch."""
    random = torch.Generator().manual_seed(0)
    extents = (d * (k - 1) + 1 for k, d in zip(op.kernel, op.dilation, strict=True))
    space = [max(extent, _PROBE_EDGE) for extent in extents]
    high = int(edge.largest) + 1
    x = torch.randint(0, high, (2, op.in_channels, *space), generator=random, dtype=torch.uint8)
    x[1] = edge.largest  # the largest sums
    try:
        y = kernel.run(x.unsqueeze(0))[0]
    except (AttributeError, NotImplementedError, RuntimeError):
        return None
    expected = op.cast(torch.float64).apply(x.double())
    return kernel if torch.equal(y.double(), expected) else None
