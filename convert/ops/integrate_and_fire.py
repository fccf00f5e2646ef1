"""Integrate-and-fire neuron."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from spikeport.convert.ops.base import NeuronState, ScalarNeuron, op


@op("if")
@dataclass(frozen=True, eq=False)
class IF(ScalarNeuron):
    """h = v + x; fire on h >= threshold; reset. As SpikingJelly's `IFNode`."""

    v_threshold: float
    v_reset: float | None

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        return state.v + current
