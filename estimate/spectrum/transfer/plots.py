"""The picture of a transfer function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spikeport.estimate.spectrum.plots import AFTER, BEFORE, THEORY
from spikeport.estimate.spectrum.transfer.measure import Transfer
from spikeport.estimate.spectrum.transfer.theory import Reset

_MARKS = 24
_LARGE = 4.0
"""Gains above are shown on a logarithmic axis."""
_STYLES: dict[Reset, str] = {"hard": "-", "soft": "--"}

Part = Callable[[Any], Any]
"""Gain or phase of complex values."""


def figure(found: Transfer) -> Figure:
    """Gain and phase against theory: left without, right with threshold and reset."""
    made = Figure(figsize=(8.0, 6.0), layout="constrained")
    panels = made.subplots(2, 2, sharex=True)
    parts: list[tuple[str, Part]] = [("gain", np.abs), ("phase (rad)", np.angle)]
    for (left, right), (name, part) in zip(panels, parts, strict=True):
        for axes in (left, right):
            axes.plot(found.frequency, part(found.theory), color=THEORY, label="theory: H")
            axes.set_ylabel(name, fontsize=8)
            axes.tick_params(labelsize=7)
        _without_threshold(left, found, part)
        _with_threshold(right, found, part)
    panels[0][0].set_title("without threshold", fontsize=8)
    panels[0][1].set_title("with threshold and reset", fontsize=8)
    for axes in panels[0]:
        axes.legend(fontsize=7)
        if np.abs(found.theory).max() > _LARGE:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
    for axes in panels[1]:
        axes.set_xlabel("frequency (cycles per step)", fontsize=8)
    made.suptitle(found.neuron.describe(), fontsize=9)
    return made


def _without_threshold(axes: Axes, found: Transfer, part: Part) -> None:
    each, shown = found.responses["none"], slice(None, None, max(1, len(found.frequency) // _MARKS))
    for values, drive, colour, mark in (
        (each.sine_membrane, "sinusoids", BEFORE, "o"),
        (each.noise_membrane, "white noise", AFTER, "x"),
    ):
        (line,) = axes.plot(found.frequency[shown], part(values)[shown], mark, color=colour)
        line.set(markersize=4, fillstyle="none", label=f"membrane, {drive}")


def _with_threshold(axes: Axes, found: Transfer, part: Part) -> None:
    for reset, style in _STYLES.items():
        each = found.responses[reset]
        for values, what, colour in (
            (each.noise_membrane, "membrane", BEFORE),
            (each.noise_spikes, "spikes", AFTER),
        ):
            (line,) = axes.plot(found.frequency, part(values), style, color=colour, linewidth=1)
            line.set_label(f"{what}, {reset} reset, white noise")
