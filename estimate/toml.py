"""Data files: TOML text checked against a schema."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from spikeport.core.checking import problems
from spikeport.core.errors import FileError
from spikeport.core.files import readable_file

T = TypeVar("T", bound=BaseModel)


def parse(schema: type[T], text: str, where: str, *, kind: str, fix: str) -> T:
    """Check TOML text against a schema.

    Args:
        schema: of the data.
        text: the file's content; decimals stay exact.
        where: the file's name, for messages.
        kind: what the file is called in messages.
        fix: what a file needs.

    Raises:
        FileError: not TOML, or not complete; names the entry.
    """
    try:
        return schema.model_validate(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        raise FileError(
            f"this {kind} is not TOML ({error}).", where=where, fix="Correct its syntax."
        ) from error
    except ValidationError as error:
        found = problems(error, most=None, whole=kind)
        raise FileError(f"this {kind} is refused: {found}.", where=where, fix=fix) from error


def read(path: str | os.PathLike[str], kind: str) -> str:
    """The text of a data file.

    Raises:
        FileError: missing, unreadable or not text.
    """
    target = readable_file(path, kind)
    try:
        return target.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FileError(
            f"this {kind} is not UTF-8 text.", where=str(target), fix="Give a TOML file."
        ) from error


def shipped(package: str) -> Iterator[tuple[str, str]]:
    """(name, text) of the TOML files of a package, by name."""
    for entry in sorted(resources.files(package).iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            yield entry.name, entry.read_text(encoding="utf-8")
