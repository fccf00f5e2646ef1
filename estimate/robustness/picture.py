"""Accuracy over levels: one panel per disturbance, attack, or experiment on time."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeport.estimate.robustness.rows import CLEAN, Row, Section

_PANEL, _COLUMNS = 3.2, 3
_LETTERS = 70
"""In one line below a panel."""
_ORDER = "order"


def robustness_figure(sections: Sequence[Section], title: str = "") -> Figure:
    """Accuracy in % with 95 % intervals; the dashed line is the clean run.

    Args:
        title: what ran on which data; stands below.
    """
    panels = [
        (section.rows[0], name, [row for row in section.rows if row.name == name])
        for section in sections
        if section.measure != "time"
        for name in dict.fromkeys(row.name for row in section.rows if row.unit)
    ]
    panels += [
        (section.rows[0], "order of time steps", [r for r in section.rows if r.name != CLEAN])
        for section in sections
        if section.measure == "time"
    ]
    rows = -(-len(panels) // _COLUMNS)
    columns = min(_COLUMNS, len(panels))
    figure = Figure(figsize=(_PANEL * columns, _PANEL * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (clean, name, shown) in zip(grid, panels, strict=False):
        _panel(axes, clean, name, shown)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel("\n".join(wrap(title, _LETTERS * columns)), fontsize=6)
    return figure


def _panel(axes: Axes, clean: Row, title: str, rows: list[Row]) -> None:
    ordered = rows[0].unit == _ORDER
    variants = [""] if ordered else list(dict.fromkeys(row.variant for row in rows))
    for variant in variants:
        chosen = [row for row in rows if ordered or row.variant == variant]
        shares = [100 * row.accuracy for row in chosen]
        below = [100 * (row.accuracy - row.low) for row in chosen]
        above = [100 * (row.high - row.accuracy) for row in chosen]
        places = list(range(len(chosen))) if ordered else [row.level for row in chosen]
        axes.errorbar(
            places,
            shares,
            yerr=[below, above],
            fmt="o" if ordered else "o-",
            markersize=3,
            capsize=2,
            label=variant or None,
        )
        if ordered:
            axes.set_xticks(places, [row.variant for row in chosen], rotation=90, fontsize=6)
    axes.axhline(100 * clean.accuracy, linestyle="--", color="grey", linewidth=1)
    axes.set_ylim(0, 102)
    axes.set_title(title, fontsize=9)
    axes.set_xlabel("reversed, then permutations" if ordered else rows[0].unit, fontsize=8)
    axes.set_ylabel("accuracy (%)", fontsize=8)
    axes.tick_params(labelsize=7)
    if any(variants):
        axes.legend(fontsize=7)
