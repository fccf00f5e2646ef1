"""Lava's fixed-point leaky integrate-and-fire neuron."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor

from spikeport.convert.ops import Neuron, NeuronState, op
from spikeport.targets.lava.limits import CURRENT_SHIFT, DECAY_UNIT, STATE_LIMIT


class LavaState(NamedTuple):
    """Both integer states, `[B, *feature]`."""

    u: Tensor
    """Synaptic current, wraps at 24 bits."""
    v: Tensor
    """Membrane, saturates at 24 bits."""


def decayed(x: Tensor, kept: int) -> Tensor:
    """x kept / 4096 without its fraction; exact for int64 and for whole numbers in float64.

    In float32 exact if `kept` is zero or a power of two.
    """
    if x.is_floating_point():
        return torch.mul(x, kept / DECAY_UNIT).trunc_()
    return torch.div(x * kept, DECAY_UNIT, rounding_mode="trunc")


@op("lava.lif")
@dataclass(frozen=True, eq=False)
class LavaLIF(Neuron):
    """u = wrap(rz(u (4096 - du - 1)) + 64 a); v = clip(rz(v (4096 - dv)) + u + b); fire on
    v > 64 vth, strictly; then v = 0. b = bias_mant 2^bias_exp, and rz(x) is x / 4096 without its
    fraction.

    `bias_mant` broadcasts to the feature shape (`[C, 1, 1]`, `[C, 1]` or full), integers. The
    arithmetic is that of `PyLifResetModelBitAcc` (lava-nc 0.10.0), bit by bit, for |a| < 2^24; it
    is exact on int64 tensors, on float64 tensors that hold whole numbers, and on float32 tensors
    if |a| < 2^17 and 4096 - dv is a power of two (then |v| and all sums stay below 2^24).
    """

    du: int
    dv: int
    vth: int
    bias_mant: Tensor | None
    bias_exp: int
    thresholds: Tensor | None = None
    """In place of `vth`, which is then the largest of them: broadcasts to the features."""

    def initial(self, current: Tensor) -> NeuronState:
        zeros = torch.zeros_like(current)
        return cast(NeuronState, LavaState(zeros, zeros))

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        return self._charged(state, self.charge(cast(LavaState, state).u, current))

    def _charged(self, state: NeuronState, u: Tensor) -> Tensor:
        v = decayed(state.v, DECAY_UNIT - self.dv).add_(u)
        bias = self.bias(u.dtype)
        return (v if bias is None else v.add_(bias)).clamp_(1 - STATE_LIMIT, STATE_LIMIT - 1)

    def threshold(self) -> int | Tensor:
        """The neuron fires above it, not at it."""
        return self.limit(torch.float64)

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        u = self.charge(cast(LavaState, state).u, current)
        v = self._charged(state, u)
        fired = v > self.limit(v.dtype)
        return cast(NeuronState, LavaState(u, v.masked_fill_(fired, 0))), fired.to(current.dtype)

    def charge(self, u: Tensor, current: Tensor) -> Tensor:
        """The synaptic current after one step, wrapped once as Lava does (2^23 itself stays)."""
        kept = DECAY_UNIT - (self.du + 1)
        charged = torch.mul(current, 2**CURRENT_SHIFT)
        if kept:
            charged = charged + decayed(u, kept)
        if not charged.numel():
            return charged
        low, high = torch.aminmax(charged)
        if int(low) > -STATE_LIMIT and int(high) < STATE_LIMIT:
            return charged
        wrapped = torch.where(charged > STATE_LIMIT, charged - 2 * STATE_LIMIT, charged)
        return torch.where(wrapped <= -STATE_LIMIT, wrapped + 2 * STATE_LIMIT, wrapped)

    def limit(self, dtype: torch.dtype) -> int | Tensor:
        """What the membrane must exceed, 64 vth; broadcasts to `[B, *feature]`."""
        if self.thresholds is None:
            return self.vth << CURRENT_SHIFT
        return torch.mul(self.thresholds.to(dtype), 2**CURRENT_SHIFT)

    def bias(self, dtype: torch.dtype) -> Tensor | None:
        """bias_mant 2^bias_exp, broadcasting to `[B, *feature]`, in the dtype of the currents."""
        if self.bias_mant is None:
            return None
        return torch.mul(self.bias_mant.to(dtype), 2**self.bias_exp)
