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

    def keeps_whole(self) -> bool:
        subtracted = self.v_threshold if self.v_reset is None else self.v_reset
        return float(subtracted).is_integer()

    def membrane(self, state: NeuronState, current: Tensor) -> Tensor:
        return state.v + current
