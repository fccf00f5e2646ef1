"""How each op is written as a module or a function."""

from spikeport.targets.spikingjelly.writers import (
    elementwise,
    euler_neuron,
    integrator,
    layers,
    neurons,
    sum_pool,
    threshold,
    time,
    views,
)
from spikeport.targets.spikingjelly.writers.base import WRITERS, Where, Written, write

__all__ = [
    "WRITERS",
    "Where",
    "Written",
    "elementwise",
    "euler_neuron",
    "integrator",
    "layers",
    "neurons",
    "sum_pool",
    "threshold",
    "time",
    "views",
    "write",
]
