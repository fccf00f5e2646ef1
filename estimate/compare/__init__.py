"""A spiking network against the same topology without spikes, under one energy model."""

from spikeport.estimate.compare.ann import DenseNetwork, quantised_bits
from spikeport.estimate.compare.break_even import break_even_rate
from spikeport.estimate.compare.comparison import Comparison, LayerComparison, compare
from spikeport.estimate.compare.tornado import Influence

__all__ = [
    "Comparison",
    "DenseNetwork",
    "Influence",
    "LayerComparison",
    "break_even_rate",
    "compare",
    "quantised_bits",
]
