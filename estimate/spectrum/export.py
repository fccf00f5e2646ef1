"""Spectra as files."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spikeport.core.files import remove_abandoned, write_json, write_text
from spikeport.estimate.export.plots import save_figure
from spikeport.estimate.formats import SPECTRUM
from spikeport.estimate.origin import one_line
from spikeport.estimate.spectrum.plots import effects_figure, layers_figure
from spikeport.estimate.spectrum.report import SpectrumReport


def export(report: SpectrumReport, folder: str | os.PathLike[str]) -> list[Path]:
    """Write all files of a report, each atomically.

    Returns:
        `edges.csv`, `effects.csv`, `kinds.csv`, `curves.csv`, `spectrum.json`, and the figures
        `effects.svg` and `layers.svg` of a network that has maps.

    Raises:
        FileError: a file cannot be written.
    """
    note = one_line({"headline": report.headline, **report.origin})
    tables = {
        "edges.csv": report.edges,
        "effects.csv": report.each_effect,
        "kinds.csv": report.by_kind,
        "curves.csv": report.curves,
    }
    figures = {"effects.svg": effects_figure(report), "layers.svg": layers_figure(report)}
    writers: dict[str, Callable[[Path], None]] = {
        **{name: partial(_csv, table, note) for name, table in tables.items()},
        SPECTRUM: partial(write_json, value=report.as_dict()),
    }
    return write_all(folder, writers, figures, report.origin)


def write_all(
    folder: str | os.PathLike[str],
    writers: dict[str, Callable[[Path], None]],
    figures: dict[str, Figure | None],
    origin: dict[str, str],
) -> list[Path]:
    """Write files and the figures that there are into a folder."""
    for name, figure in figures.items():
        if figure is not None:
            writers[name] = partial(save_figure, figure, origin=origin)
    out = Path(folder)
    for name, write in writers.items():
        remove_abandoned(out / name)
        write(out / name)
    return [out / name for name in writers]


def _csv(table: pd.DataFrame, note: str, path: Path) -> None:
    write_text(path, table.assign(origin=note).to_csv(index=False))
