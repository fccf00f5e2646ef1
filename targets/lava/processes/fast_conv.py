"""A faster model of Lava's own convolution process, equal to it bit by bit.

Lava's model calls scipy once per pair of channels and keeps sizes in int8, so from 128 channels,
pixels or groups on it fails under numpy 2. This one multiplies matrices in float64, exact here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spikeport.targets.lava.processes.api import (
    CPU,
    LavaPyType,
    LoihiProtocol,
    PyInPort,
    PyLoihiProcessModel,
    PyOutPort,
    implements,
    requires,
    tag,
)
from spikeport.targets.lava.processes.layout import Array

if TYPE_CHECKING:
    Conv: Any
else:
    from lava.proc.conv.process import Conv

MESSAGE_BITS = 24


@implements(proc=Conv, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class FastConvModel(PyLoihiProcessModel):
    """Sends the last step's result, then convolves; the result wraps to 24 bits with sign."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    a_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)
    a_buf: Array = LavaPyType(np.ndarray, np.int32, precision=24)
    weight: Array = LavaPyType(np.ndarray, np.int32, precision=8)
    weight_exp: Array = LavaPyType(np.ndarray, np.int32, precision=8)
    kernel_size: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    stride: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    padding: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    dilation: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    groups: Array = LavaPyType(np.ndarray, np.int32, precision=32)
    num_message_bits: Array = LavaPyType(np.ndarray, np.int32, precision=5)
    num_weight_bits: Array = LavaPyType(np.ndarray, np.int32, precision=5)

    def __init__(self, proc_params: Any = None) -> None:
        super().__init__(proc_params)
        self.matrix: Array | None = None

    def run_spk(self) -> None:
        self.a_out.send(self.a_buf)
        value = self.s_in.recv()
        if self.num_message_bits.item() == 0:
            value = value.astype(bool)
        self.a_buf = wrapped(self.convolve(value), MESSAGE_BITS)

    def convolve(self, value: Array) -> Array:
        """`[W, H, C_in]` -> `[W', H', C_out]`, int64."""
        groups, (across, down) = int(self.groups[0]), self.dilation
        (pad_x, pad_y), (step_x, step_y) = self.padding, self.stride
        width, height = (self.kernel_size - 1) * self.dilation + 1
        padded = np.pad(value, ((pad_x, pad_x), (pad_y, pad_y), (0, 0))).astype(np.float64)
        views: Any = np.lib.stride_tricks.sliding_window_view  # its stubs know one axis only
        windows = views(padded, (width, height), axis=(0, 1))
        windows = windows[::step_x, ::step_y, :, ::across, ::down]
        out_x, out_y = windows.shape[:2]
        # [groups, positions, C_in / groups * kernel]
        rows = windows.reshape(out_x * out_y, groups, -1).transpose(1, 0, 2)
        result: Array = np.matmul(rows, self._matrix(groups)).transpose(1, 0, 2)
        return result.reshape(out_x, out_y, -1).astype(np.int64)

    def _matrix(self, groups: int) -> Array:
        """`[groups, C_in / groups * kernel, C_out / groups]`, the kernel unflipped."""
        if self.matrix is None:
            kernel = self.weight[:, ::-1, ::-1, :].transpose(0, 3, 1, 2)
            rows = kernel.reshape(groups, len(kernel) // groups, -1)
            self.matrix = np.ascontiguousarray(rows.transpose(0, 2, 1), dtype=np.float64)
        return self.matrix


def wrapped(value: Array, bits: int) -> Array:
    """The value modulo 2^bits, with sign, int32 (lava-nc 0.10.0, `conv.utils.signed_clamp`)."""
    half = 1 << (bits - 1)
    return ((value + half) % (2 * half) - half).astype(np.int32)
