"""The integrate-and-fire node."""

from __future__ import annotations

from spikingjelly.activation_based import neuron

from spikeport.core.neurons.dynamics import Charge, Dynamics
from spikeport.core.neurons.node import FusedNode


class IFNode(FusedNode, neuron.IFNode):  # type: ignore[misc]
    """SpikingJelly's `IFNode`, several times as fast on a CPU."""

    base = neuron.IFNode

    def dynamics(self) -> Dynamics:
        return Dynamics(
            charge=Charge.INTEGRATE,
            decay_input=True,
            tau=1.0,
            threshold=self.v_threshold,
            reset=self.v_reset,
            detach_reset=self.detach_reset,
            surrogate=self.surrogate_function,
        )
