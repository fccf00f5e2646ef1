"""All steps of a layer of neurons in one pass on a GPU; imported where Triton is installed."""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl
from torch import Tensor

from spikeport.core.neurons.dynamics import Charge, Dynamics

_REAL = {torch.float32: tl.float32, torch.float64: tl.float64}
_BLOCK = 1024


@triton.jit  # type: ignore[untyped-decorator]
def _emit(  # type: ignore[no-untyped-def]
    x,
    spikes,
    size,
    x_step,
    steps,
    LEAK: tl.constexpr,  # noqa: N803
    THRESHOLD: tl.constexpr,  # noqa: N803
    RESET: tl.constexpr,  # noqa: N803
    CHARGE: tl.constexpr,  # noqa: N803
    DECAY: tl.constexpr,  # noqa: N803
    SOFT: tl.constexpr,  # noqa: N803
    REAL: tl.constexpr,  # noqa: N803
    BLOCK: tl.constexpr,  # noqa: N803
):
    """A block of membranes stays in registers over all steps; the arithmetic of kernel.c."""
    at = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    rest = tl.full((BLOCK,), 0.0 if SOFT else RESET, REAL)
    threshold = tl.full((BLOCK,), THRESHOLD, REAL)
    leak = tl.full((BLOCK,), LEAK, REAL)
    one = tl.full((BLOCK,), 1.0, REAL)
    v = rest
    for _ in range(steps):
        current = tl.load(x + at, mask=inside, other=0.0).to(REAL)
        if CHARGE == 0:
            h = v + current
        else:
            above = v - rest
            taken = current - above if DECAY else above
            if CHARGE == 2:
                leaked = taken * leak
            elif tl.float32 == REAL:
                leaked = tl.div_rn(taken, leak)
            else:
                leaked = taken / leak
            h = v + leaked if DECAY else v - leaked + current
        spike = (h >= threshold).to(REAL)
        tl.store(spikes + at, spike.to(spikes.dtype.element_ty), mask=inside)
        v = h - spike * threshold if SOFT else spike * rest + (one - spike) * h
        # Not steps times size from the start: that product has 32 bits, too few for large batches.
        x += x_step
        spikes += size


def emit(dynamics: Dynamics, x: Tensor, out: Tensor, leak: float | None, real: torch.dtype) -> None:
    """Write the spikes `[T, ...]` of the currents `x` `[T, ...]` to `out`; see `Emitter`."""
    charge, factor = dynamics.charge, dynamics.tau if leak is None else leak
    if charge is Charge.LEAK_DIVIDE and math.frexp(factor)[0] == 0.5:
        charge, factor = Charge.LEAK_MULTIPLY, 1 / factor
    size = x[0].numel()
    _emit[(triton.cdiv(size, _BLOCK),)](
        x,
        out,
        size,
        x.stride(0),
        len(x),
        LEAK=factor,
        THRESHOLD=dynamics.threshold,
        RESET=dynamics.rest,
        CHARGE=int(charge),
        DECAY=dynamics.decay_input,
        SOFT=dynamics.reset is None,
        REAL=_REAL[real],
        BLOCK=_BLOCK,
        enable_fp_fusion=False,  # contraction would round once where SpikingJelly rounds twice
    )
