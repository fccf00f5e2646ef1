"""The report as files: tables for programs, a row for a paper, figures."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from spikeport.core.files import remove_abandoned
from spikeport.estimate.export.network import network, network_json
from spikeport.estimate.export.neurobench import neurobench_json, neurobench_results
from spikeport.estimate.export.paper_row import markdown_table, tex_table
from spikeport.estimate.export.plots import energy_figure, rate_figure, save_figure
from spikeport.estimate.export.tables import layers_json, layers_parquet, stages_csv
from spikeport.estimate.formats import NETWORK, REPORT

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport

__all__ = [
    "energy_figure",
    "export",
    "markdown_table",
    "network",
    "neurobench_results",
    "rate_figure",
    "tex_table",
]


def export(
    report: EnergyReport,
    folder: str | os.PathLike[str],
    name: str = "network",
    command: str = "",
) -> list[Path]:
    """Write all files of a report, each atomically.

    Args:
        report: what is written.
        folder: made if it is missing.
        name: of the network, in the row for a paper.
        command: what made the report, in `network.json`.

    Returns:
        `layers.csv`, `.parquet` and `.json`, `stages.csv`, `report.json`, `table.tex` and `.md`,
        `neurobench.json`, `network.json`, and the figures `energy` and `rates` as `.svg` and
        `.png`; rates only of a network with neurons.

    Raises:
        FileError: a file cannot be written.
    """
    out = Path(folder)
    writers: dict[str, Callable[[Path], None]] = {
        "layers.csv": report.to_csv,
        "layers.parquet": partial(layers_parquet, report),
        "layers.json": partial(layers_json, report),
        "stages.csv": partial(stages_csv, report),
        REPORT: report.to_json,
        "table.tex": partial(tex_table, report, name=name),
        "table.md": partial(markdown_table, report, name=name),
        "neurobench.json": partial(neurobench_json, report),
        NETWORK: partial(network_json, report, name=name, command=command),
    }
    for stem, figure in {"energy": energy_figure(report), "rates": rate_figure(report)}.items():
        if figure is not None:
            for suffix in ("svg", "png"):
                writers[f"{stem}.{suffix}"] = partial(save_figure, figure, origin=report.origin)
    for each, write in writers.items():
        remove_abandoned(out / each)
        write(out / each)
    return [out / each for each in writers]
