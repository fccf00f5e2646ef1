"""NIR: graphs written for other frameworks, and what those write read back, counted and lowered."""

from spikeport.targets.nir.check import check
from spikeport.targets.nir.lowered import NirLowered, load, lower
from spikeport.targets.nir.options import NirOptions
from spikeport.targets.nir.reading import read
from spikeport.targets.nir.report import NirReport

__all__ = ["NirLowered", "NirOptions", "NirReport", "check", "load", "lower", "read"]
