"""Spectra for a terminal."""

from __future__ import annotations

from typing import Any

import pandas as pd
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from spikeport.estimate.numbers import MISSING, percent
from spikeport.estimate.spectrum.report import SpectrumReport
from spikeport.estimate.tally.facts import label

_MOVES = ("reshape", "permute")
"""Ops whose output has the shares of their input: in the files, not in the table."""
_NAMED = 3


def render(report: SpectrumReport) -> RenderableType:
    """What a share is, the layers, what changes it, what was left out; made for 100 columns."""
    return Group(
        Text(report.headline, style="bold"),
        Text(
            "HF %: share of power above half of Nyquist, DC excluded; white: that of white noise "
            "on as many positions or steps; \u00b1: half of the 95 % interval over samples."
        ),
        "",
        _edges(report),
        "",
        _kinds(report),
        *_notes(report),
    )


def _edges(report: SpectrumReport) -> Table:
    table = _table("High-frequency share along the network", "layer", "op", "map")
    for heading in ("HF %", "\u00b1", "white", "time HF %", "\u00b1", "white"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in _rows(report.edges):
        if row["kind"] in _MOVES or not {"height", "time_share"} & row.keys():
            continue
        size = f"{row['height']:.0f}x{row['width']:.0f}" if "height" in row else MISSING
        table.add_row(
            escape(label(report.spectra.graph[row["node"]])),
            row["kind"],
            size,
            percent(row.get("share")),
            _half(row, "share_low", "share_high"),
            percent(row.get("share_white"), 2),
            percent(row.get("time_share")),
            _half(row, "time_share_low", "time_share_high"),
            percent(row.get("time_share_white"), 2),
        )
    return table


def _kinds(report: SpectrumReport) -> Table:
    table = _table("What changes the share, in percentage points", "behind against before")
    for heading in ("places", "HF", "\u00b1", "places", "time HF", "\u00b1"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("maps")
    for row in _rows(report.by_kind):
        cells = []
        for prefix in ("", "time_"):
            ends = (f"{prefix}difference_low", f"{prefix}difference_high")
            cells += [f"{row[f'{prefix}defined']} of {row['nodes']}"]
            cells += [_points(row.get(f"{prefix}difference")), _half(row, *ends)]
        size = "" if row["same_size"] else "of another size"
        table.add_row(escape(row["what"]), *cells, size)
    return table


def _notes(report: SpectrumReport) -> list[RenderableType]:
    lines = []
    for column, what in (("left_out", "in space"), ("time_left_out", "along time")):
        reasons: dict[str, list[str]] = {}
        for row in _rows(report.edges):
            if column in row:
                reasons.setdefault(row[column], []).append(row["node"])
        for reason, names in reasons.items():
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            shown = ", ".join(names[:_NAMED]) + more
            lines.append(f"  No share {what}: {reason} ({shown}).")
    return ["", Text("Left out"), *(Text(line) for line in lines)] if lines else []


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows without what is missing."""
    return [
        {str(name): value for name, value in row.items() if not pd.isna(value) and value != ""}
        for row in table.to_dict(orient="records")
    ]


def _half(row: dict[str, Any], low: str, high: str) -> str:
    if low not in row or high not in row:
        return MISSING
    return f"{50 * (row[high] - row[low]):.1f}"


def _points(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:+.1f}"
