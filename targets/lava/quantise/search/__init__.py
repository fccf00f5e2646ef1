"""Weights and biases chosen by what they do to currents on calibration frames."""

from spikeport.targets.lava.quantise.search.choose import Chosen, search

__all__ = ["Chosen", "search"]
