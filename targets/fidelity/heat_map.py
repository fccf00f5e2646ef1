"""Where spikes differ: layers by time steps, one panel per pair of stages."""

from __future__ import annotations

import os

import matplotlib as mpl
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from spikeport.core.files import atomic_path
from spikeport.targets.fidelity.report import FidelityReport

_PANEL, _LABELS, _ROW, _MARGIN = 1.9, 3.2, 0.2, 1.5
_DPI = 150
_LEAST = 1e-5
"""Smallest share of differing spikes that has a colour of its own."""


def heat_map(report: FidelityReport) -> Figure:
    """Share of spikes that differ, by layer and time step; white where none does."""
    rows = max(len(stage.layers) for stage in report.stages)
    size = (_LABELS + _PANEL * len(report.stages), _MARGIN + _ROW * rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(report.stages), squeeze=False, sharey=True)[0]
    colours = mpl.colormaps["inferno_r"].with_extremes(under="white")
    image = None
    for axes, stage in zip(panels, report.stages, strict=True):
        values = [list(layer.by_step) for layer in stage.layers]
        image = axes.imshow(values, aspect="auto", cmap=colours, norm=LogNorm(_LEAST, 1.0))
        told = "equal" if not stage.different else f"{stage.different:,} differ"
        axes.set_title(f"{stage.left} \u2192 {stage.right}\n{told}", fontsize=8)
        axes.set_xticks(range(report.steps))
        axes.set_xlabel("time step", fontsize=8)
        axes.tick_params(labelsize=7)
    names = [layer.path or layer.layer for layer in report.stages[0].layers]
    panels[0].set_yticks(range(len(names)), names)
    if image is not None:
        figure.colorbar(image, ax=list(panels), label="share of spikes that differ", extend="min")
    return figure


def save_heat_map(report: FidelityReport, path: str | os.PathLike[str]) -> None:
    """Write `.svg` or `.png`, the same bytes for the same report.

    Raises:
        FileError: the file cannot be written.
    """
    suffix = os.path.splitext(path)[1].removeprefix(".")
    metadata = {"Date": None} if suffix == "svg" else {}
    with mpl.rc_context({"svg.hashsalt": "spikeport"}), atomic_path(path) as temporary:
        heat_map(report).savefig(temporary, format=suffix, dpi=_DPI, metadata=metadata)
