"""The energy model, read from the file beside this module."""

from __future__ import annotations

from importlib import resources

from spikeport.estimate.energy import parse_energy_model

_FILE = "saturating-45nm.toml"
MODEL = parse_energy_model(
    resources.files("spikeport_saturating").joinpath(_FILE).read_text(encoding="utf-8"), _FILE
)
