"""Tables of the page: numbers as people read them, beside the full figure for sorting and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from spikeport.estimate.numbers import MISSING, significant


@dataclass(frozen=True)
class Cell:
    """What is shown, and what is sorted by and downloaded."""

    text: str
    value: str | float | None


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: of the column in the CSV file.
        title: what is shown.
        show: how a figure is shown; None: as text.
        note: what it means, where the title leaves that open.
    """

    name: str
    title: str
    show: Callable[[Any], str] | None = None
    note: str = ""

    @property
    def is_number(self) -> bool:
        return self.show is not None

    def cell(self, value: Any) -> Cell:
        if value is None:
            return Cell(MISSING, None)
        if self.show is None:
            return Cell(str(value), str(value))
        return Cell(self.show(value), value)


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: of its CSV file, without the ending.
        caption: what it shows.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]


def table(
    name: str, caption: str, columns: Iterable[Column], values: Iterable[dict[str, Any]]
) -> Table:
    """A table of these columns; entries that no column names are left out."""
    columns = tuple(columns)
    body = [[column.cell(row.get(column.name)) for column in columns] for row in values]
    return Table(name, caption, columns, body)


def figure(value: float) -> str:
    """Four significant digits."""
    return significant(value, 4)


def brief(value: float) -> str:
    """Two significant digits: p values, errors."""
    return f"{value:.2g}"


def whole(value: int) -> str:
    """With commas."""
    return f"{value:,}"


def energy(microjoule: float) -> str:
    """In the unit that suits, four digits: 1.133 uJ, 30.64 mJ."""
    for size, unit in ((1e6, "J"), (1e3, "mJ"), (1.0, "\u00b5J"), (1e-3, "nJ")):
        if abs(microjoule) >= size:
            return f"{significant(microjoule / size, 4)} {unit}"
    return f"{significant(microjoule * 1e6, 4)} pJ"
