"""What the lowering approximated, and how close to its limits it came."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from spikeport.convert.check import Severity


@dataclass(frozen=True)
class Row:
    """One figure about one layer.

    Attributes:
        layer: name of the node.
        path: its module path in the user's model.
        figure: what is told ("head-room, proven", "weight bits lost", ...).
        value: the figure, in `unit`.
        limit: what it must not exceed, None if there is no limit.
        advice: what to do about it, "" if nothing.
    """

    layer: str
    path: str
    figure: str
    value: float
    limit: float | None
    unit: str
    severity: Severity
    advice: str = ""

    def __str__(self) -> str:
        limit = "" if self.limit is None else f" (limit {self.limit:g})"
        told = f"{self.layer}: {self.figure} {self.value:g} {self.unit}{limit}. {self.advice}"
        return told.rstrip()


@dataclass
class QuantisationReport:
    """All rows, and the options that led to them."""

    options: dict[str, Any]
    rows: list[Row] = field(default_factory=list)

    def add(
        self,
        layer: str,
        path: str,
        figure: str,
        value: float,
        unit: str,
        *,
        limit: float | None = None,
        severity: Severity = Severity.NOTE,
        advice: str = "",
    ) -> None:
        self.rows.append(Row(layer, path, figure, value, limit, unit, severity, advice))

    def warnings(self) -> list[Row]:
        return [row for row in self.rows if row.severity is not Severity.NOTE]

    def figure(self, name: str) -> Iterator[Row]:
        """The rows that tell this figure."""
        return (row for row in self.rows if row.figure == name)

    def as_json(self) -> dict[str, Any]:
        """JSON values; a figure without finite value is null."""
        rows = [asdict(row) | {"severity": str(row.severity)} for row in self.rows]
        for row in rows:
            row["value"] = row["value"] if math.isfinite(row["value"]) else None
        return {"options": self.options, "rows": rows}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> QuantisationReport:
        """The inverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: it is not one.
        """
        rows = []
        for row in value["rows"]:
            number = math.nan if row["value"] is None else row["value"]
            rows.append(Row(**(row | {"severity": Severity(row["severity"]), "value": number})))
        return cls(options=dict(value["options"]), rows=rows)
