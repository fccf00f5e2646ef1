"""The engine for small inputs and for machines without a compiler: torch operations in place."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.core.neurons.dynamics import Charge, Dynamics
from spikeport.core.neurons.surrogates import slope_at


class PlainEngine:
    """Works on any layout. `forward` equals SpikingJelly bit for bit."""

    def forward(
        self, dynamics: Dynamics, x: Tensor, v: Tensor | float, leak: Tensor | None, learning: bool
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Spikes `[T, ...]`, last membrane and, if `learning`, the charged membrane."""
        spikes = torch.empty_like(x)
        membrane = torch.empty_like(x) if learning else None
        scratch = torch.empty_like(spikes[0])
        last = torch.full_like(spikes[0], v) if isinstance(v, float) else v
        for t in range(len(x)):
            h = scratch if membrane is None else membrane[t]
            _charge(dynamics, x[t], last, leak, h)
            torch.ge(h, dynamics.threshold, out=spikes[t])
            last = _reset(dynamics, h, spikes[t])
        return spikes, last, membrane

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
        """Gradients of input, first membrane (if a tensor) and leak.

        With g the surrogate's derivative, r = dv[t]/dh[t] and `scale`, `keep` = dh/dx, dh/dv:
        dL/dx[t] = scale (dL/ds[t] g[t] + r[t] dL/dv[t]) and dL/dv[t-1] = (keep / scale) dL/dx[t].
        """
        assert membrane is not None
        scale, keep = _rates(dynamics, leak)
        spikes = (membrane >= dynamics.threshold).to(x.dtype)
        if dynamics.detach_reset:
            slope = slope_at(dynamics.surrogate, membrane - dynamics.threshold, scale)
            passed = None
            dx = torch.zeros_like(slope) if dspikes is None else slope.mul_(dspikes)
        else:
            slope = slope_at(dynamics.surrogate, membrane - dynamics.threshold)
            passed = _passed(dynamics, membrane, spikes, slope)
            dx = torch.zeros_like(slope) if dspikes is None else slope.mul_(scale).mul_(dspikes)
        if dlast is not None:
            dx[-1].add_(_through_reset(dynamics, dlast, spikes[-1], passed, -1), alpha=scale)
        for t in range(len(dx) - 2, -1, -1):
            dx[t].add_(_through_reset(dynamics, dx[t + 1], spikes[t], passed, t), alpha=keep)
        dstart = None if isinstance(v, float) else dx[0] * (keep / scale)
        if leak is None:
            return dx, dstart, None
        taken = _taken(dynamics, x, v, membrane, spikes)
        dleak = (dx * taken).sum(dtype=torch.float64).to(leak.dtype)
        return (dx.mul_(leak) if dynamics.decay_input else dx), dstart, dleak


def _charge(dynamics: Dynamics, x: Tensor, v: Tensor, leak: Tensor | None, h: Tensor) -> None:
    """h = charge(v, x), rounded as SpikingJelly does unless `halving`."""
    if dynamics.charge is Charge.INTEGRATE:
        torch.add(v, x, out=h)
        return
    if dynamics.halving:
        torch.add(v, x, out=h)
        h.mul_(0.5)
        return
    above = torch.sub(v, dynamics.rest, out=h) if dynamics.rest else v
    if dynamics.decay_input:
        above = torch.sub(x, above, out=h)
    if leak is None:
        torch.div(above, dynamics.tau, out=h)
    else:
        torch.mul(above, leak, out=h)
    if dynamics.decay_input:
        h.add_(v)
    else:
        torch.sub(v, h, out=h)
        h.add_(x)


def _reset(dynamics: Dynamics, h: Tensor, spikes: Tensor) -> Tensor:
    if dynamics.reset is None:
        kept = spikes * dynamics.threshold
        return torch.sub(h, kept, out=kept)
    if dynamics.halving:
        return torch.addcmul(h, h, spikes, value=-1)
    kept = torch.rsub(spikes, 1.0).mul_(h)
    return kept.add_(spikes * dynamics.reset) if dynamics.reset else kept


def _rates(dynamics: Dynamics, leak: Tensor | None) -> tuple[float, float]:
    """dh/dx and dh/dv; a leak that is learnt may be 0, so it is left out of the first."""
    if dynamics.charge is Charge.INTEGRATE:
        return 1.0, 1.0
    if leak is not None:
        return 1.0, 1.0 - float(leak)
    rate = 1.0 / dynamics.tau
    return (rate if dynamics.decay_input else 1.0), 1.0 - rate


def _passed(dynamics: Dynamics, h: Tensor, spikes: Tensor, slope: Tensor) -> Tensor:
    """dv/dh of a reset that lets gradients through."""
    if dynamics.reset is None:
        return 1.0 - dynamics.threshold * slope
    return (dynamics.reset - h).mul_(slope).add_(1.0 - spikes)


def _through_reset(
    dynamics: Dynamics, dv: Tensor, spikes: Tensor, passed: Tensor | None, t: int
) -> Tensor:
    if passed is not None:
        return dv * passed[t]
    return dv if dynamics.reset is None else torch.addcmul(dv, dv, spikes, value=-1)


def _taken(
    dynamics: Dynamics, x: Tensor, v: Tensor | float, membrane: Tensor, spikes: Tensor
) -> Tensor:
    """dh/d(leak) of all steps."""
    before = torch.empty_like(membrane)
    if isinstance(v, float):
        before[0].fill_(v)
    else:
        before[0].copy_(v)
    if len(x) > 1:
        before[1:].copy_(_reset(dynamics, membrane[:-1], spikes[:-1]))
    before.sub_(dynamics.rest)
    return x - before if dynamics.decay_input else before.neg_()
