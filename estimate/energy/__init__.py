"""Energy models: data with sources, and their evaluation on a tally."""

from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.load import (
    DEFAULT_ENERGY_MODEL,
    ENERGY_MODELS,
    energy_model,
    parse_energy_model,
    read_energy_model,
)
from spikeport.estimate.energy.pricing import Item, StaticImage
from spikeport.estimate.energy.schema import Charge, EnergyModel
from spikeport.estimate.figures import Constant, Status

__all__ = [
    "DEFAULT_ENERGY_MODEL",
    "ENERGY_MODELS",
    "Charge",
    "Constant",
    "Energies",
    "EnergyModel",
    "Item",
    "StaticImage",
    "Status",
    "energy_model",
    "parse_energy_model",
    "read_energy_model",
]
