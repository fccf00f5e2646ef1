"""What loading a checkpoint did."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch


@dataclass(frozen=True)
class Loaded:
    """One entry of the model that was filled.

    Attributes:
        name: in the model.
        source: its name in the file.
        shape: of both.
        stored: number type in the file.
        kept: number type in the model.
    """

    name: str
    source: str
    shape: tuple[int, ...]
    stored: torch.dtype
    kept: torch.dtype


@dataclass(frozen=True)
class Ignored:
    """One entry of the file that was not loaded, and why not."""

    source: str
    why: str


@dataclass(frozen=True)
class CheckpointReport:
    """What loading a checkpoint did; `str` gives it as a paragraph.

    Attributes:
        file: what was read.
        container: the file format in words.
        key: where in the file the state dict stood; empty if the file is the state dict itself.
        prefix: what all names in the file began with and the model's do not ("module.").
        matched_by: whether entries were paired by name or by their position in the list.
        entries: what was filled, in the model's order.
        ignored: entries of the state dict that were not loaded.
        beside: what else the file holds, not read ("optimizer").
        non_finite: names of entries with infinities or NaN, where the caller allowed them.
    """

    file: Path
    container: str
    key: str
    prefix: str
    matched_by: Literal["name", "position"]
    entries: tuple[Loaded, ...]
    ignored: tuple[Ignored, ...]
    beside: tuple[str, ...]
    non_finite: tuple[str, ...]

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should look at: one sentence each, none if there is nothing."""
        found = []
        if self.matched_by == "position":
            first = next(entry for entry in self.entries if entry.name != entry.source)
            found.append(
                "Its names are not those of the model, so entries were matched by position "
                f"(number, order and every shape agree; {first.source} went to {first.name})."
            )
        casts: dict[tuple[torch.dtype, torch.dtype], int] = {}
        for entry in self.entries:
            if entry.stored != entry.kept:
                pair = entry.stored, entry.kept
                casts[pair] = casts.get(pair, 0) + 1
        found += [
            f"{_entries(count)} cast from {_plain(stored)} to {_plain(kept)}."
            for (stored, kept), count in casts.items()
        ]
        reasons: dict[str, list[str]] = {}
        for left in self.ignored:
            reasons.setdefault(left.why, []).append(left.source)
        found += [
            f"{_entries(len(names))} ignored ({why}): {', '.join(names[:3])}"
            f"{', ...' if len(names) > 3 else ''}."
            for why, names in reasons.items()
        ]
        if self.non_finite:
            found.append(f"Not all numbers are finite in {', '.join(self.non_finite[:5])}.")
        return tuple(found)

    def __str__(self) -> str:
        place = f", {self.key}" if self.key else ""
        prefix = f", {self.prefix!r} removed from the names" if self.prefix else ""
        head = (
            f"{self.file}: {_entries(len(self.entries))} loaded by {self.matched_by} "
            f"({self.container}{place}{prefix})."
        )
        beside = f"Not read: {', '.join(self.beside)}." if self.beside else ""
        return " ".join(part for part in (head, *self.remarks, beside) if part)


def _entries(count: int) -> str:
    return f"{count} entry" if count == 1 else f"{count} entries"


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
