"""Leaky integrate-and-fire neuron with a learned time constant."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.ops.base import Neuron, NeuronState, op
from spikeport.convert.ops.lif import fire_and_reset, resting


@op("parametric_lif")
@dataclass(frozen=True, eq=False)
class ParametricLIF(Neuron):
    """As `LIF` with 1 / tau = sigmoid(weight), a scalar. Arithmetic as `ParametricLIFNode`.

    Source: Fang et al., ICCV 2021, arXiv 2007.05785.
    """

    weight: Tensor
    decay_input: bool
    v_threshold: float
    v_reset: float | None

    def initial(self, current: Tensor) -> NeuronState:
        return resting(current, self.v_reset)

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        v, rest, leak = state.v, self.v_reset or 0.0, self.weight.sigmoid()
        if self.decay_input:
            h = v + (current - (v - rest)) * leak
        else:
            h = v - (v - rest) * leak + current
        return fire_and_reset(h, self.v_threshold, self.v_reset)
