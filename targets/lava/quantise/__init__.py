"""From a float graph to a graph of whole numbers, with a report of what it cost."""

from spikeport.targets.lava.quantise.api import Quantised, quantise
from spikeport.targets.lava.quantise.options import LoweringOptions
from spikeport.targets.lava.quantise.report import QuantisationReport, Row

__all__ = ["LoweringOptions", "QuantisationReport", "Quantised", "Row", "quantise"]
