"""Fields x, y, t, p under the names that they have in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikeport.core.errors import FileError

FIELDS = ("x", "y", "t", "p")
_ALIASES = {
    "x": ("x", "xs", "x_pos"),
    "y": ("y", "ys", "y_pos"),
    "t": ("t", "ts", "timestamp", "timestamps", "time"),
    "p": ("p", "ps", "pol", "polarity", "polarities", "on"),
}


def field_names(path: Path, present: Sequence[str]) -> dict[str, str]:
    """The name in the file of each of x, y, t, p.

    Raises:
        FileError: one is missing, or there under two names.
    """
    lowered = {name.strip().lower(): name for name in present}
    names = {}
    for field in FIELDS:
        found = [lowered[alias] for alias in _ALIASES[field] if alias in lowered]
        if len(found) != 1:
            told = f"{field} is there as {' and '.join(found)}" if found else f"it has no {field}"
            raise FileError(
                f"{told}; its fields are {', '.join(present)[:200] or 'without names'}.",
                where=str(path),
                fix="Name the columns x, y, t (microseconds) and p (0 or 1).",
            )
        names[field] = found[0]
    return names


def named_columns(path: Path, source: Any, present: Sequence[str]) -> dict[str, Any]:
    """x, y, t, p out of anything that is indexed by names."""
    return {field: source[name] for field, name in field_names(path, present).items()}
