"""SpikingJelly's neurons, fused over time on a CPU: same settings, same spikes, same gradients.

And membranes that it has no class for.
"""

from spikeport.core.neurons.euler import EulerNode, IntegratorNode
from spikeport.core.neurons.integrate_and_fire import IFNode
from spikeport.core.neurons.lif import LIFNode
from spikeport.core.neurons.parametric_lif import ParametricLIFNode

__all__ = ["EulerNode", "IFNode", "IntegratorNode", "LIFNode", "ParametricLIFNode"]
