"""Leaky integrate-and-fire neuron with a learned time constant."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.ops.base import NeuronState, ScalarNeuron, op


@op("parametric_lif")
@dataclass(frozen=True, eq=False)
class ParametricLIF(ScalarNeuron):
    """As `LIF` with 1 / tau = sigmoid(weight), a scalar. Arithmetic as `ParametricLIFNode`.

    Source: Fang et al., ICCV 2021, arXiv 2007.05785.
    """

    weight: Tensor
    decay_input: bool
    v_threshold: float
    v_reset: float | None

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        v, rest, leak = state.v, self.v_reset or 0.0, self.weight.sigmoid()
        if self.decay_input:
            return v + (current - (v - rest)) * leak
        return v - (v - rest) * leak + current
