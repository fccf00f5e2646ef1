"""What commands print: results on standard output, errors and progress on standard error."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from typing import Any

from rich.console import Console, JustifyMethod
from rich.table import Table

from spikeport.core.notes import NOTES

WIDTH = 100
"""Columns where output is no terminal, so that what is piped or stored does not wrap at 80."""


@dataclass
class _State:
    debug: bool = False

    def reraise_if_debugging(self, error: Exception) -> None:
        if self.debug:
            raise error


state = _State()


def console(*, markup: bool = False) -> Console:
    """Standard output; without `markup`, so that brackets in the user's names stay brackets."""
    wide = None if sys.stdout.isatty() else WIDTH
    return Console(width=wide, highlight=False, markup=markup)


def print_error(message: str) -> None:
    """One paragraph on standard error."""
    wide = None if sys.stderr.isatty() else WIDTH
    Console(stderr=True, width=wide, highlight=False).print(
        f"error: {message}", style="red", markup=False
    )


def print_note(message: str) -> None:
    """Something worth knowing that is no error, on standard error."""
    wide = None if sys.stderr.isatty() else WIDTH
    Console(stderr=True, width=wide, highlight=False).print(f"note: {message}", markup=False)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print_note(record.getMessage())


def print_notes() -> None:
    """Print what the library finds worth knowing, too."""
    if not any(isinstance(each, _Notes) for each in NOTES.handlers):
        NOTES.addHandler(_Notes())
    NOTES.setLevel(logging.INFO)
    NOTES.propagate = False


def print_json(value: Any) -> None:
    """A result for programs: one JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, allow_nan=False) + "\n")


def table(
    title: str, columns: list[str], rows: list[list[str]], right: tuple[str, ...] = ()
) -> Table:
    """A plain table; numbers should come formatted. `right` names columns aligned to the right."""
    grid = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        side: JustifyMethod = "right" if column in right else "left"
        grid.add_column(column, overflow="fold", justify=side)
    for row in rows:
        grid.add_row(*row)
    return grid
