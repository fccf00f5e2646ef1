"""SpikingJelly's neurons, fused over time on a CPU: same settings, same spikes, same gradients."""

from spikeport.core.neurons.integrate_and_fire import IFNode
from spikeport.core.neurons.lif import LIFNode
from spikeport.core.neurons.parametric_lif import ParametricLIFNode

__all__ = ["IFNode", "LIFNode", "ParametricLIFNode"]
