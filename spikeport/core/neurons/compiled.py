"""The engine for large inputs: one pass over memory in C.

Measured for four steps of half a million neurons: `torch.compile` takes 27 s before its first
result and 8 s in each later process; the C compiler takes 1.2 s once, a later process 10 ms.
One library also serves every shape, number of steps, layout and setting, where `torch.compile`
specialises, and it shares torch's threads. So kernel.c is compiled by hand.
"""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spikeport.core.native import load_library, threads_for
from spikeport.core.neurons.dynamics import Charge, Dynamics
from spikeport.core.neurons.surrogates import STEPS, Slope

_REAL = {torch.float32: "float", torch.float64: "double"}
SOURCE = Path(__file__).with_name("kernel.c")
BLOCK = 128
"""Neurons that are worked on at a time; of 64 to 2048 the fastest, above all backwards."""


def definitions(dtype: torch.dtype) -> list[str]:
    """What kernel.c is compiled with for numbers of this type."""
    is_float = ["REAL_IS_FLOAT"] if dtype is torch.float32 else []
    return [f"REAL={_REAL[dtype]}", f"BLOCK={BLOCK}", *is_float]


class Settings(ctypes.Structure):
    """`settings` of kernel.c."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in ("steps", "size", "x_step")),
        *(
            (name, ctypes.c_int32)
            for name in (
                "charge",
                "decay_input",
                "soft_reset",
                "detach_reset",
                "slope",
                "threads",
            )
        ),
        *((name, ctypes.c_double) for name in ("leak", "threshold", "reset", "start", "alpha")),
    )


class CompiledEngine:
    """`forward` equals SpikingJelly bit for bit; `backward` needs a surrogate that is in `Slope`.

    Each step of `x` must be one unbroken run of numbers, in any order of axes.

    Raises:
        CompileError: there is no library for this type of numbers on this machine.
    """

    def __init__(self, dtype: torch.dtype) -> None:
        library = load_library(SOURCE, definitions(dtype))
        self._forward, self._backward = library.forward, library.backward
        pointer, settings = ctypes.c_void_p, ctypes.POINTER(Settings)
        self._forward.argtypes = [settings, *[pointer] * 4]
        self._forward.restype = None
        self._backward.argtypes = [settings, *[pointer] * 7]
        self._backward.restype = ctypes.c_int32

    def forward(
        self, dynamics: Dynamics, x: Tensor, v: Tensor | float, leak: Tensor | None, learning: bool
    ) -> tuple[Tensor, Tensor, None]:
        """Spikes `[T, ...]` and last membrane, laid out as the steps of `x` are."""
        strides = _strides(x)
        start = None if isinstance(v, float) else _laid_out(v, strides[1:])
        spikes = torch.empty_strided(x.shape, strides, dtype=x.dtype, device="cpu")
        last = torch.empty_strided(x.shape[1:], strides[1:], dtype=x.dtype, device="cpu")
        settings = _settings(dynamics, x, v, leak)
        self._forward(settings, *map(_address, (x, start, spikes, last)))
        return spikes, last, None

    def backward(
        self,
        dynamics: Dynamics,
        x: Tensor,
        v: Tensor | float,
        leak: Tensor | None,
        membrane: Tensor | None,
        dspikes: Tensor | None,
        dlast: Tensor | None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Gradients of input, first membrane (if a tensor) and leak."""
        strides = _strides(x)
        start = None if isinstance(v, float) else _laid_out(v, strides[1:])
        dspikes = None if dspikes is None else _laid_out(dspikes, strides)
        dlast = None if dlast is None else _laid_out(dlast, strides[1:])
        dx = torch.empty_strided(x.shape, strides, dtype=x.dtype, device="cpu")
        dstart = None if start is None else torch.empty_like(start)
        blocks = -(-strides[0] // BLOCK)
        sums = None if leak is None else torch.empty(blocks, dtype=torch.float64, device="cpu")
        failed = self._backward(
            _settings(dynamics, x, v, leak),
            *map(_address, (x, start, dspikes, dlast, dx, dstart, sums)),
        )
        if failed:
            raise MemoryError("no memory for the backward pass of a neuron")
        return dx, dstart, None if leak is None or sums is None else sums.sum().to(leak.dtype)


def _settings(dynamics: Dynamics, x: Tensor, v: Tensor | float, leak: Tensor | None) -> Any:
    return ctypes.byref(settings_of(dynamics, x, v, None if leak is None else float(leak)))


def settings_of(dynamics: Dynamics, x: Tensor, v: Tensor | float, leak: float | None) -> Settings:
    """`settings` for currents `x` `[T, ...]` and first membranes `v`."""
    slope = STEPS.get(type(dynamics.surrogate))
    known = slope is not None
    charge, factor = dynamics.charge, dynamics.tau if leak is None else leak
    if charge is Charge.LEAK_DIVIDE and math.frexp(factor)[0] == 0.5:
        # Dividing by a power of two is multiplying by its inverse, to the bit.
        charge, factor = Charge.LEAK_MULTIPLY, 1 / factor
    return Settings(
        steps=len(x),
        size=x.numel() // len(x),
        x_step=x.stride(0),
        charge=charge,
        decay_input=dynamics.decay_input,
        soft_reset=dynamics.reset is None,
        detach_reset=dynamics.detach_reset,
        slope=slope if known else Slope.SIGMOID,
        threads=threads_for(x.numel()),
        leak=factor,
        threshold=dynamics.threshold,
        reset=dynamics.rest,
        start=v if isinstance(v, float) else 0.0,
        alpha=float(dynamics.surrogate.alpha) if known else 1.0,
    )


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _strides(x: Tensor) -> tuple[int, ...]:
    """Steps laid out as those of `x` and end to end."""
    return x.numel() // len(x), *x.stride()[1:]


def _laid_out(value: Tensor, stride: tuple[int, ...]) -> Tensor:
    if value.stride() == stride and not (value.is_neg() or value._is_zerotensor()):
        return value
    return torch.empty_strided(value.shape, stride, dtype=value.dtype, device="cpu").copy_(value)
