"""Chips by name or from a file."""

from __future__ import annotations

import os
from pathlib import Path

from spikeport.core.registry import Registry
from spikeport.estimate.capacity.schema import Chip
from spikeport.estimate.toml import parse, read, shipped

_FIX = (
    "Each figure needs value, unit, meaning, source, status (measured, simulated or derived) and "
    "verified (true or false)."
)


def parse_chip(text: str, where: str) -> Chip:
    """Read a chip from TOML text.

    Raises:
        FileError: not TOML, or not a complete chip; names the entry.
    """
    return parse(Chip, text, where, kind="chip", fix=_FIX)


def read_chip(path: str | os.PathLike[str]) -> Chip:
    """Read a chip file (`.toml`).

    Raises:
        FileError: missing, unreadable, not text, or refused by `parse_chip`.
    """
    return parse_chip(read(path, "chip"), str(path))


def chip_named(choice: str | os.PathLike[str] | Chip) -> Chip:
    """The chip of this name, or the one in this `.toml` file, or the chip itself.

    Raises:
        UnknownNameError: no chip has the name; tells near matches.
        FileError: the file is missing or refused.
    """
    if isinstance(choice, Chip):
        return choice
    if Path(choice).suffix == ".toml":
        return read_chip(choice)
    return CHIPS[str(choice)]


CHIPS: Registry[Chip] = Registry("chip")
for _name, _text in shipped("spikeport.estimate.capacity.chips"):
    _chip = parse_chip(_text, _name)
    CHIPS.add(_chip.id, _chip)
