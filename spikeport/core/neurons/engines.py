"""Which engine runs a layer of neurons."""

from __future__ import annotations

import logging
import os
import threading

import torch
from torch import Tensor

from spikeport.core.errors import UsageError
from spikeport.core.native import CompileError
from spikeport.core.neurons.autograd import Engine
from spikeport.core.neurons.compiled import CompiledEngine
from spikeport.core.neurons.dynamics import Charge, Dynamics
from spikeport.core.neurons.plain import PlainEngine
from spikeport.core.neurons.surrogates import STEPS

logger = logging.getLogger(__name__)

VARIABLE = "SPIKEPORT_NEURONS"
CHOICES = ("auto", "compiled", "plain", "spikingjelly")
# Below it (in numbers, all steps together) a layer is not worth a run of the compiler.
LARGE = 1 << 16

_PLAIN = PlainEngine()
_compiled: dict[torch.dtype, CompiledEngine | None] = {}
_lock = threading.Lock()


def engine_for(dynamics: Dynamics, x: Tensor, learning: bool) -> Engine | None:
    """The engine for one call on a CPU; None for SpikingJelly's own code.

    `$SPIKEPORT_NEURONS` chooses: `auto` (the default) compiles for large inputs, `compiled` for all
    that it can serve, `plain` and `spikingjelly` never. The choice depends on settings and sizes
    only, so that the same run gives the same gradients.

    Raises:
        UsageError: the variable holds something else.
    """
    choice = os.environ.get(VARIABLE) or "auto"
    if choice not in CHOICES:
        raise UsageError(
            f"{choice!r} is no way to run neurons.",
            where=VARIABLE,
            fix=f"Set it to one of {', '.join(CHOICES)}, or unset it.",
        )
    if choice == "spikingjelly":
        return None
    small = choice == "auto" and x.numel() < LARGE
    unknown = learning and STEPS[type(dynamics.surrogate)] is None
    if choice == "plain" or small or unknown or dynamics.halving:
        return _PLAIN
    return _compiled_engine(x.dtype) or _PLAIN


def _compiled_engine(dtype: torch.dtype) -> CompiledEngine | None:
    """None, for good, after the first failure."""
    if dtype not in _compiled:
        with _lock:
            if dtype not in _compiled:
                _compiled[dtype] = _make(dtype)
    return _compiled[dtype]


def _make(dtype: torch.dtype) -> CompiledEngine | None:
    try:
        engine = CompiledEngine(dtype)
        _check(engine, dtype)
    except CompileError as error:
        logger.warning("Spiking neurons run several times slower than they could: %s", error)
        return None
    return engine


def _check(engine: CompiledEngine, dtype: torch.dtype) -> None:
    """Refuse a library that rounds otherwise (compilers take flags from the environment)."""
    x = (
        (torch.arange(6000, dtype=dtype, device="cpu") * 0.7310585)
        .remainder(4)
        .sub(1)
        .reshape(4, 1500)
    )
    for charge in Charge:
        leak = torch.tensor(0.3, device="cpu") if charge is Charge.LEAK_MULTIPLY else None
        for reset in (-0.1, None):
            dynamics = Dynamics(charge, True, 1.7, 0.9, reset, True, None)
            ours, plain = (
                some.forward(dynamics, x, 0.2, leak, False)[:2] for some in (engine, _PLAIN)
            )
            if not all(map(torch.equal, ours, plain)):
                raise CompileError("the compiled neurons round otherwise.", where=str(dtype))
