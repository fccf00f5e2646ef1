"""Which engine runs a layer of neurons."""

from __future__ import annotations

import os

import torch
from torch import Tensor

from spikeport.core.errors import UsageError
from spikeport.core.native import CompileError
from spikeport.core.neurons.autograd import Engine
from spikeport.core.neurons.compiled import CompiledEngine
from spikeport.core.neurons.dynamics import Dynamics
from spikeport.core.neurons.plain import PlainEngine
from spikeport.core.neurons.probing import made_once, probes
from spikeport.core.neurons.surrogates import STEPS

VARIABLE = "SPIKEPORT_NEURONS"
CHOICES = ("auto", "compiled", "plain", "spikingjelly")
# Below it (in numbers, all steps together) a layer is not worth a run of the compiler.
LARGE = 1 << 16

_PLAIN = PlainEngine()
_compiled: dict[torch.dtype, CompiledEngine | None] = {}


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
    return made_once(_compiled, dtype, _checked_engine)


def _checked_engine(dtype: torch.dtype) -> CompiledEngine:
    engine = CompiledEngine(dtype)
    for dynamics, x, leak in probes(dtype):
        ours, plain = (some.forward(dynamics, x, 0.2, leak, False)[:2] for some in (engine, _PLAIN))
        if not all(map(torch.equal, ours, plain)):
            raise CompileError("the compiled neurons round otherwise.", where=str(dtype))
    return engine
