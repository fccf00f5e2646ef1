"""Figures: which class is taken for which, and what accuracy costs over the steps."""

from __future__ import annotations

from itertools import cycle
from textwrap import wrap
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from spikeport.estimate.evaluation.result import Evaluation

_SIZE = (7.0, 5.0)
_ROW, _MARGIN = 0.42, 2.2
_LINE = 80
_STYLES: tuple[dict[str, Any], ...] = (
    {"linestyle": "-", "linewidth": 3.0},
    {"linestyle": "--"},
    {"linestyle": ":"},
)
_FIT = 30
"""Classes up to which each cell has its number."""


def confusion_figure(found: Evaluation, target: str) -> Figure:
    """Samples by label (row) and prediction (column), coloured by their share of the row."""
    table = found.targets[target].confusion
    classes = len(table)
    side = max(4.0, min(_MARGIN + _ROW * classes, 20.0))
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    totals = table.sum(1, keepdims=True)
    shares = table / totals.clip(min=1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if classes <= _FIT:
        names = [found.class_name(label) for label in range(classes)]
        axes.set_xticks(range(classes), names, rotation=90, fontsize=7)
        axes.set_yticks(range(classes), names, fontsize=7)
        for (row, column), count in _cells(table):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=7)
    axes.set_xlabel("prediction")
    axes.set_ylabel("label")
    axes.set_title(_wrapped(f"{target}, {found.data.provenance}"), fontsize=8)
    return figure


def curve_figure(found: Evaluation) -> Figure:
    """Accuracy with its 95 % interval against energy (steps where none is known), by target."""
    figure = Figure(figsize=_SIZE, layout="constrained")
    axes = figure.subplots()
    curves = {name: result.curve for name, result in found.targets.items() if result.curve}
    # All targets are charged or none is; but energies of fewer steps may not be known for one.
    charged = all(row.energy_uj is not None for rows in curves.values() for row in rows)
    # Targets often agree: no line may hide another.
    for (name, rows), style in zip(curves.items(), cycle(_STYLES), strict=False):
        places = [
            float(row.energy_uj if charged and row.energy_uj is not None else row.steps)
            for row in rows
        ]
        shares = [100 * row.right.value for row in rows]
        ends = [row.right.interval for row in rows]
        below = [share - 100 * low for share, (low, _) in zip(shares, ends, strict=True)]
        above = [100 * high - share for share, (_, high) in zip(shares, ends, strict=True)]
        axes.errorbar(
            places, shares, yerr=[below, above], marker="o", capsize=3, label=name, **style
        )
        for place, share, row in zip(places, shares, rows, strict=True):
            axes.annotate(
                f"t={row.steps}", (place, share), (4, -10), textcoords="offset points", fontsize=6
            )
    model = next((r.energy.model.id for r in found.targets.values() if r.energy), "")
    axes.set_xlabel(f"energy per sample (uJ), {model}" if charged else "time steps")
    axes.set_ylabel("accuracy (%), 95 % interval")
    axes.set_title(_wrapped(found.data.provenance), fontsize=8)
    axes.legend(fontsize=7)
    return figure


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text, _LINE))


def _cells(table: npt.NDArray[np.int64]) -> list[tuple[tuple[int, int], int]]:
    """Places and counts that are not 0."""
    return [
        ((int(row), int(column)), int(table[row, column])) for row, column in np.argwhere(table)
    ]
