"""Pictures of spectra: before and after each kind of op, and a strip per layer."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeport.estimate.spectrum.effects import Effect, tells
from spikeport.estimate.spectrum.grids import Floats
from spikeport.estimate.spectrum.report import SpectrumReport
from spikeport.estimate.spectrum.spatial import MapSpectrum
from spikeport.estimate.tally.facts import label

BEFORE, AFTER, THEORY = "#0072B2", "#D55E00", "#1A1A1A"
"""Okabe and Ito's colours, dashed and solid as well."""
_WIDTH, _ROW, _MARGIN = 8.0, 0.22, 1.6
_PANEL, _COLUMNS = 2.6, 3
_POINTS = 64
_FAINTEST = 1e-6


def effects_figure(report: SpectrumReport) -> Figure | None:
    """Radially averaged power in front of and behind each kind of op, one line per node.

    Each curve is divided by its mean over all frequencies but DC: white noise is a line at 1.
    """
    groups: dict[str, list[Effect]] = {}
    for each in report.effects:
        if tells(each.differences):
            groups.setdefault(each.what, []).append(each)
    if not groups:
        return None
    rows = math.ceil(len(groups) / _COLUMNS)
    figure = Figure(figsize=(_PANEL * _COLUMNS, _PANEL * rows + 0.6), layout="constrained")
    panels = figure.subplots(rows, _COLUMNS, squeeze=False, sharex=True, sharey=True).ravel()
    for axes, (what, parts) in zip(panels, groups.items(), strict=False):
        for each in parts:
            _curve(axes, each.before, BEFORE, "--")
            _curve(axes, each.after, AFTER, "-")
        axes.set_title(what, fontsize=8)
        _frequency_axis(axes)
    for axes in panels[len(groups) :]:
        axes.set_visible(False)
    figure.supxlabel("frequency / Nyquist", fontsize=8)
    figure.supylabel("power, 1 = white", fontsize=8)
    handles = panels[0].get_lines()[:2]
    figure.legend(handles, ["before", "behind"], loc="outside upper right", ncols=2, fontsize=8)
    figure.suptitle(report.headline, fontsize=8)
    return figure


def layers_figure(report: SpectrumReport) -> Figure | None:
    """One strip per edge that is a map: power over frequency, dark where there is most."""
    graph = report.spectra.graph
    maps = {name: each for name, each in report.spectra.maps.items() if each.grid.tells}
    rows = {name: strip for name, each in maps.items() if (strip := _strip(each)) is not None}
    if not rows:
        return None
    figure = Figure(figsize=(_WIDTH, _MARGIN + _ROW * len(rows)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(
        np.stack(list(rows.values())),
        aspect="auto",
        cmap="viridis_r",
        extent=(0, math.sqrt(2), len(rows) - 0.5, -0.5),
        interpolation="nearest",
    )
    names = [f"{label(graph[name])}  {graph[name].op.kind}" for name in rows]
    axes.set_yticks(range(len(rows)), names, fontsize=7)
    axes.axvline(0.5, color="white", linewidth=1, linestyle=":")
    axes.set_xlabel("frequency / Nyquist; dotted: what is right of it is high")
    axes.set_title(report.headline, fontsize=8)
    figure.colorbar(image, label="log10 power, 0 = white")
    return figure


def relative(maps: MapSpectrum) -> tuple[Floats, Floats] | None:
    """Radius and radially averaged power without DC, 1 where white noise lies; None of a constant
    map."""
    power, radius = maps.radial
    sizes = maps.grid.sizes()[1:]
    total = float((power[1:] * sizes).sum())
    return None if total == 0 else (radius[1:], power[1:] * sizes.sum() / total)


def _curve(axes: Axes, maps: MapSpectrum, colour: str, style: str) -> None:
    found = relative(maps)
    if found is not None:
        axes.semilogy(*found, color=colour, linestyle=style, linewidth=1, alpha=0.8)


def _frequency_axis(axes: Axes) -> None:
    axes.axvspan(0.5, math.sqrt(2), color="0.95", zorder=-1)
    axes.axhline(1, color="0.7", linewidth=0.5, zorder=0)
    axes.set_xlim(0, math.sqrt(2))
    axes.tick_params(labelsize=7)


def _strip(maps: MapSpectrum) -> Floats | None:
    """log10 of the relative power at evenly spaced radii: that of the nearest ring."""
    found = relative(maps)
    if found is None:
        return None
    radius, power = found
    at = (np.arange(_POINTS) + 0.5) * math.sqrt(2) / _POINTS
    nearest = np.abs(at[:, None] - radius).argmin(1)
    strip: Floats = np.log10(np.maximum(power[nearest], _FAINTEST))
    return strip
