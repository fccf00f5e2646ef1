"""Integrate-and-fire neuron."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.ops.base import Neuron, NeuronState, op
from spikeport.convert.ops.lif import fire_and_reset, resting


@op("if")
@dataclass(frozen=True, eq=False)
class IF(Neuron):
    """h = v + x; fire on h >= threshold; reset. As SpikingJelly's `IFNode`."""

    v_threshold: float
    v_reset: float | None

    def initial(self, current: Tensor) -> NeuronState:
        return resting(current, self.v_reset)

    def step(self, state: NeuronState, current: Tensor) -> tuple[NeuronState, Tensor]:
        return fire_and_reset(state.v + current, self.v_threshold, self.v_reset)
