"""Capacity: what a network needs of a chip, and what overflows."""

from spikeport.estimate.capacity.load import CHIPS, chip_named, parse_chip, read_chip
from spikeport.estimate.capacity.needs import LayerNeeds, needs
from spikeport.estimate.capacity.report import CapacityReport, fit_chips
from spikeport.estimate.capacity.result import Fit, LayerFit, Overflow
from spikeport.estimate.capacity.schema import Chip

__all__ = [
    "CHIPS",
    "CapacityReport",
    "Chip",
    "Fit",
    "LayerFit",
    "LayerNeeds",
    "Overflow",
    "chip_named",
    "fit_chips",
    "needs",
    "parse_chip",
    "read_chip",
]
