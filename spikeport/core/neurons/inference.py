"""Spikes alone: all steps of a layer of neurons from rest, nothing kept for a backward pass."""

from __future__ import annotations

import ctypes
import os
from enum import IntEnum

import torch
from torch import Tensor

from spikeport.core.native import CompileError, load_library
from spikeport.core.neurons.compiled import SOURCE, definitions, settings_of
from spikeport.core.neurons.dynamics import Dynamics
from spikeport.core.neurons.engines import VARIABLE
from spikeport.core.neurons.plain import PlainEngine
from spikeport.core.neurons.probing import made_once, probes

_SERVED = (torch.float32, torch.float64)


class Stored(IntEnum):
    """`stored` of kernel.c."""

    AS_REAL = 0
    BFLOAT16 = 1


class Emitter:
    """One pass over memory in C; membranes in `real`, currents and spikes in `real` or bfloat16.

    Raises:
        CompileError: there is no library for this machine, or it rounds otherwise than torch.
    """

    def __init__(self, real: torch.dtype) -> None:
        self.real = real
        self._emit = load_library(SOURCE, definitions(real)).emit
        settings, pointer = ctypes.c_void_p, ctypes.c_void_p
        self._emit.argtypes = [settings, ctypes.c_int32, ctypes.c_int32, pointer, pointer]
        self._emit.restype = None
        self._check()

    def serves(self, dtype: torch.dtype) -> bool:
        """Whether currents or spikes of this type can be read or written."""
        return dtype == self.real or (dtype == torch.bfloat16 and self.real == torch.float32)

    def __call__(self, dynamics: Dynamics, x: Tensor, out: Tensor, leak: float | None) -> None:
        """Write the spikes `[T, ...]` of the currents `x` `[T, ...]` to `out`.

        Each step of `x` is one unbroken run of numbers, in any order of axes; `out` is laid out
        alike, its steps end to end. `out` may be `x` itself.
        """
        settings = settings_of(dynamics, x, dynamics.rest, leak)
        self._emit(
            ctypes.addressof(settings),
            self._stored(x),
            self._stored(out),
            x.data_ptr(),
            out.data_ptr(),
        )

    def _stored(self, x: Tensor) -> Stored:
        return Stored.BFLOAT16 if x.dtype == torch.bfloat16 else Stored.AS_REAL

    def _check(self) -> None:
        """Refuse a library that rounds otherwise."""
        for dynamics, x, leak in probes(self.real):
            expected, _, _ = PlainEngine().forward(dynamics, x, dynamics.rest, leak, False)
            ours = torch.empty_like(x)
            self(dynamics, x, ours, None if leak is None else float(leak))
            if not torch.equal(ours, expected):
                raise CompileError("the compiled neurons round otherwise.", where="emit")


_emitters: dict[torch.dtype, Emitter | None] = {}


def emitter_for(real: torch.dtype) -> Emitter | None:
    """The emitter with membranes in `real`; None where there is none, or `$SPIKEPORT_NEURONS`
    asks for none (`plain`, `spikingjelly`)."""
    if real not in _SERVED or os.environ.get(VARIABLE) in ("plain", "spikingjelly"):
        return None
    return made_once(_emitters, real, Emitter)
