"""Figures: energy per layer stacked by what it is spent on, firing rates over layers and steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from spikeport.core.files import atomic_path
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.origin import one_line
from spikeport.estimate.tally.facts import elements, label
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport

_WIDTH, _ROW, _MARGIN = 8.0, 0.22, 1.6
_DPI = 150
_ROOM = 1.05


def energy_by_kind(energies: Energies, names: list[str]) -> dict[str, list[float]]:
    """By kind of charge: uJ per sample of each node; kinds that cost nothing are left out."""
    kinds: dict[str, list[float]] = {}
    for place, name in enumerate(names):
        for item in energies.items(name):
            spent = energies.units(name, item) * item.price(energies.model)
            each = kinds.setdefault(item.quantity, [0.0] * len(names))
            each[place] += float(microjoule(spent / energies.tally.samples))
    return {kind: values for kind, values in kinds.items() if any(values)}


def energy_figure(report: EnergyReport) -> Figure:
    """Horizontal bars, first layer on top; layers that cost nothing are left out."""
    energies = report.energies
    names = [name for name in report.tables.names if energies.total(name)]
    figure = _figure(len(names))
    axes = figure.subplots()
    left = np.zeros(len(names))
    for kind, values in energy_by_kind(energies, names).items():
        axes.barh(range(len(names)), values, left=left, label=kind.replace("_", " "))
        left += np.array(values)
    axes.set_yticks(
        range(len(names)), [label(report.tally.graph[name]) for name in names], fontsize=7
    )
    axes.invert_yaxis()
    model = report.model
    unverified = f"{len(model.unverified)} of {len(model.constants)} constants unverified"
    axes.set_xlabel(f"energy per sample (uJ), {model.id}, {unverified}")
    if names:
        # Parts of no width, at the end of a bar, would keep matplotlib from leaving a margin.
        axes.set_xlim(0, _ROOM * left.max())
        axes.legend(loc="lower right", fontsize=7)
    return figure


def rate_figure(report: EnergyReport) -> Figure | None:
    """Spikes per neuron and step: one row per neuron layer, one column per step; None without."""
    tally = report.tally
    names = [name for name, plan in tally.plans.items() if Term.SPIKES_OUT in plan.terms]
    if not names or not tally.steps:
        return None
    figure = _figure(len(names))
    axes = figure.subplots()
    image = axes.imshow(firing_rates(report, names), aspect="auto", cmap="viridis", vmin=0)
    axes.set_yticks(
        range(len(names)), [label(report.tally.graph[name]) for name in names], fontsize=7
    )
    axes.set_xticks(range(tally.steps))
    axes.set_xlabel("time step")
    figure.colorbar(image, label="spikes per neuron and step")
    return figure


def firing_rates(report: EnergyReport, names: list[str]) -> list[list[float]]:
    """By neuron layer and step, mean over the samples."""
    tally = report.tally
    return [
        [
            count / (elements(tally.graph[name]) * tally.samples)
            for count in tally.per_step(name, Term.SPIKES_OUT)[: tally.steps]
        ]
        for name in names
    ]


def save_figure(figure: Figure, path: str | os.PathLike[str], origin: Mapping[str, str]) -> None:
    """Write `.svg` or `.png`, the same bytes for the same figure; the origin is metadata.

    Raises:
        FileError: the file cannot be written.
    """
    facts = one_line(dict(origin))
    suffix = os.path.splitext(path)[1].removeprefix(".")
    metadata = {"Description": facts, "Date": None} if suffix == "svg" else {"Description": facts}
    # Not pyplot: a library opens no window and leaves the user's figures alone.
    with mpl.rc_context({"svg.hashsalt": "spikeport"}), atomic_path(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=_DPI, metadata=metadata)


def _figure(rows: int) -> Figure:
    return Figure(figsize=(_WIDTH, _MARGIN + _ROW * rows), layout="constrained")
