"""What computes the nodes of an integer graph, each chosen by what the bounds prove.

Importing this package registers the kernels.
"""

from spikeport.targets.lava.kernels import floating, int8_conv, neuron
from spikeport.targets.lava.kernels.plan import Choice, Plan, plan

__all__ = ["Choice", "Plan", "floating", "int8_conv", "neuron", "plan"]
