"""Energy models by name or from a file."""

from __future__ import annotations

import os
from pathlib import Path

from spikeport.core.registry import Registry
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.toml import parse, read, shipped

DEFAULT_ENERGY_MODEL = "horowitz45-fp32"
_FIX = (
    "Each constant needs value, unit, meaning, source, status (measured, simulated or derived) and "
    "verified (true or false)."
)


def parse_energy_model(text: str, where: str) -> EnergyModel:
    """Read an energy model from TOML text.

    Raises:
        FileError: not TOML, or not a complete energy model; names the entry.
    """
    return parse(EnergyModel, text, where, kind="energy model", fix=_FIX)


def read_energy_model(path: str | os.PathLike[str]) -> EnergyModel:
    """Read an energy model file (`.toml`).

    Raises:
        FileError: missing, unreadable, not text, or refused by `parse_energy_model`.
    """
    return parse_energy_model(read(path, "energy model"), str(path))


Choice = str | os.PathLike[str] | EnergyModel
"""An energy model by name, by file, or itself."""


def energy_model(choice: Choice) -> EnergyModel:
    """The model of this name, or the one in this `.toml` file, or the model itself.

    Raises:
        UnknownNameError: no model has the name; tells near matches.
        FileError: the file is missing or refused.
    """
    if isinstance(choice, EnergyModel):
        return choice
    if Path(choice).suffix == ".toml":
        return read_energy_model(choice)
    return ENERGY_MODELS[str(choice)]


ENERGY_MODELS: Registry[EnergyModel] = Registry(
    "energy model",
    "spikeport.energy_models",
    lambda name, entry: isinstance(entry, EnergyModel) and entry.id == name,
)
for _name, _text in shipped("spikeport.estimate.energy.models"):
    _model = parse_energy_model(_text, _name)
    ENERGY_MODELS.add(_model.id, _model)
