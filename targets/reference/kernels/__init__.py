"""Implementations of single nodes, chosen when an executor is made."""

from spikeport.targets.reference.kernels import layers, neuron, stateless, time
from spikeport.targets.reference.kernels.base import Extent, Kernel, Place, implements, kernel_for

__all__ = [
    "Extent",
    "Kernel",
    "Place",
    "implements",
    "kernel_for",
    "layers",
    "neuron",
    "stateless",
    "time",
]
