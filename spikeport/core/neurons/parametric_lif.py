"""The leaky integrate-and-fire node that learns its time constant."""

from __future__ import annotations

from spikingjelly.activation_based import neuron
from torch import Tensor

from spikeport.core.neurons.dynamics import Charge, Dynamics
from spikeport.core.neurons.node import FusedNode


class ParametricLIFNode(FusedNode, neuron.ParametricLIFNode):  # type: ignore[misc]
    """SpikingJelly's `ParametricLIFNode`, several times as fast on a CPU."""

    base = neuron.ParametricLIFNode

    def dynamics(self) -> Dynamics:
        return Dynamics(
            charge=Charge.LEAK_MULTIPLY,
            decay_input=self.decay_input,
            tau=1.0,
            threshold=self.v_threshold,
            reset=self.v_reset,
            detach_reset=self.detach_reset,
            surrogate=self.surrogate_function,
        )

    def leak(self) -> Tensor:
        leak: Tensor = self.w.sigmoid()
        return leak
