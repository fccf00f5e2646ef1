"""Energy models by name or from a file."""

from __future__ import annotations

import os
import tomllib
from decimal import Decimal
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from spikeport.core.errors import FileError
from spikeport.core.files import readable_file
from spikeport.core.registry import Registry
from spikeport.estimate.energy.schema import EnergyModel

DEFAULT_ENERGY_MODEL = "horowitz45-fp32"


def parse_energy_model(text: str, where: str) -> EnergyModel:
    """Read an energy model from TOML text.

    Raises:
        FileError: not TOML, or not a complete energy model; names the entry.
    """
    try:
        return EnergyModel.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise FileError(
            f"this energy model is not TOML ({error}).", where=where, fix="Correct its syntax."
        ) from error
    except ValidationError as error:
        found = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'model'}: {each['msg']}"
            for each in error.errors()
        )
        raise FileError(
            f"this energy model is refused: {found}.",
            where=where,
            fix="Each constant needs value, unit, meaning, source, status (measured, simulated or "
            "derived) and verified (true or false).",
        ) from error


def read_energy_model(path: str | os.PathLike[str]) -> EnergyModel:
    """Read an energy model file (`.toml`).

    Raises:
        FileError: missing, unreadable, not text, or refused by `parse_energy_model`.
    """
    target = readable_file(path, "energy model")
    try:
        text = target.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(
            "this energy model is not UTF-8 text.", where=str(target), fix="Give a TOML file."
        ) from error
    return parse_energy_model(text, str(target))


def energy_model(choice: str | os.PathLike[str] | EnergyModel) -> EnergyModel:
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


def _shipped() -> Registry[EnergyModel]:
    models: Registry[EnergyModel] = Registry(
        "energy model",
        "spikeport.energy_models",
        lambda name, entry: isinstance(entry, EnergyModel) and entry.id == name,
    )
    folder = resources.files("spikeport.estimate.energy.models")
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            model = parse_energy_model(entry.read_text(encoding="utf-8"), entry.name)
            models.add(model.id, model)
    return models


ENERGY_MODELS = _shipped()
