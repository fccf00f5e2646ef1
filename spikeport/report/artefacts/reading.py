"""Reading files that others wrote: size, form and version are checked before anything is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from spikeport.core.checking import problems
from spikeport.core.errors import FileError
from spikeport.core.files import readable_file

LARGEST = 64 * 2**20
"""Bytes; a report of a network of a thousand layers has a few million."""
_FIX = "Make it again with this Spikeport."

Shape = TypeVar("Shape", bound="Part")


class Part(BaseModel):
    """What the page needs of a file; entries that it does not need may be there."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def label_of(node: str, path: str) -> str:
    """The module path; the node's name where that says which of the module's ops is meant."""
    return node if node.startswith(path) else path


def read_text(path: Path, kind: str) -> str:
    """A text file of ordinary size.

    Raises:
        FileError: missing, unreadable, too large or not UTF-8.
    """
    target = readable_file(path, kind)
    if target.stat().st_size > LARGEST:
        raise unusable(path, kind, f"it is larger than {LARGEST:,} bytes")
    try:
        return target.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(path, kind, str(error)[:200]) from error


def read_json(path: Path, kind: str) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        FileError: see `read_text`; or it is no JSON object.
    """
    try:
        value = json.loads(read_text(path, kind), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise unusable(path, kind, f"it is no JSON ({str(error)[:200]})") from error
    if not isinstance(value, dict):
        raise unusable(path, kind, "it holds no JSON object")
    return value


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


def read_part(path: Path, kind: str, part: type[Shape], stamp: tuple[str, int]) -> Shape:
    """A JSON file of this format and version.

    Raises:
        FileError: see `read_json`; or it is of another format or version, or lacks something.
    """
    value = read_json(path, kind)
    found = value.get("format"), value.get("version")
    if found != stamp:
        told = " ".join(str(each)[:60] for each in found)
        raise unusable(path, kind, f"its format is {told}, not {stamp[0]} {stamp[1]}")
    return checked(value, path, kind, part)


def checked(value: Any, path: Path, kind: str, part: type[Shape]) -> Shape:
    """What a file holds, in the form that the page needs.

    Raises:
        FileError: it lacks something, or something is of another type.
    """
    try:
        return part.model_validate(value)
    except (ValidationError, RecursionError) as error:
        why = problems(error) if isinstance(error, ValidationError) else str(error)
        raise unusable(path, kind, why[:300]) from error


def unusable(path: Path, kind: str, why: str) -> FileError:
    """A file that cannot be shown."""
    return FileError(f"this {kind} is unusable: {why}.", where=str(path), fix=_FIX)
