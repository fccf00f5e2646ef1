"""Leaky integrate-and-fire neuron."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.ops.base import NeuronState, ScalarNeuron, op


@op("lif")
@dataclass(frozen=True, eq=False)
class LIF(ScalarNeuron):
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

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        v, rest = state.v, self.v_reset or 0.0
        if self.decay_input:
            return v + (current - (v - rest)) / self.tau
        return v - (v - rest) / self.tau + current
