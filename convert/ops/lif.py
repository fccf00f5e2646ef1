"""Leaky integrate-and-fire neuron."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.ops.base import Neuron, NeuronState, op


def fire_and_reset(
    h: Tensor, v_threshold: float, v_reset: float | None
) -> tuple[NeuronState, Tensor]:
    """s = 1 if h >= threshold; then v = v_reset where it fired, or h - threshold s (soft)."""
    spikes = (h >= v_threshold).to(h.dtype)
    v = h - spikes * v_threshold if v_reset is None else (1.0 - spikes) * h + spikes * v_reset
    return NeuronState(v), spikes


def resting(current: Tensor, v_reset: float | None) -> NeuronState:
    """The membrane before the first step: v_reset, or 0 under soft reset."""
    return NeuronState(torch.full_like(current, 0.0 if v_reset is None else v_reset))


@op("lif")
@dataclass(frozen=True, eq=False)
class LIF(Neuron):
    """h = v + (x - (v - r)) / tau, or h = v - (v - r) / tau + x without `decay_input`; fire; reset.

    r is v_reset (0 under soft reset, v_reset None). Order: charge, fire on h >= threshold, reset.
    Arithmetic and initial state as SpikingJelly's `LIFNode`.
    """

    tau: float
    decay_input: bool
    v_threshold: float
    v_reset: float | None

    def __post_init__(self) -> None:
        if not self.tau > 0:
            raise ValueError(f"a time constant of {self.tau} steps makes no neuron")

    def initial(self, current: Tensor) -> NeuronState:
        return resting(current, self.v_reset)

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        v, rest = state.v, self.v_reset or 0.0
        if self.decay_input:
            h = v + (current - (v - rest)) / self.tau
        else:
            h = v - (v - rest) / self.tau + current
        return fire_and_reset(h, self.v_threshold, self.v_reset)
