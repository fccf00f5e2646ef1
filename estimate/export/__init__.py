"""The report as files: tables for programs, a row for a paper, figures."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from spikeport.estimate.export.neurobench import neurobench_json, neurobench_results
from spikeport.estimate.export.paper_row import markdown_table, tex_table
from spikeport.estimate.export.plots import energy_figure, rate_figure, save_figure
from spikeport.estimate.export.tables import layers_json, layers_parquet

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport

__all__ = [
    "energy_figure",
    "export",
    "markdown_table",
    "neurobench_results",
    "rate_figure",
    "tex_table",
]


def export(
    report: EnergyReport, folder: str | os.PathLike[str], name: str = "network"
) -> list[Path]:
    """Write all files of a report, each atomically.

    Args:
        report: what is written.
        folder: made if it is missing.
        name: of the network, in the row for a paper.

    Returns:
        `layers.csv`, `.parquet` and `.json`, `report.json`, `table.tex` and `.md`,
        `neurobench.json`, and the figures `energy` and `rates` as `.svg` and `.png`; rates only of
        a network with neurons.

    Raises:
        FileError: a file cannot be written.
    """
    out = Path(folder)
    report.to_csv(out / "layers.csv")
    layers_parquet(report, out / "layers.parquet")
    layers_json(report, out / "layers.json")
    report.to_json(out / "report.json")
    tex_table(report, out / "table.tex", name)
    markdown_table(report, out / "table.md", name)
    neurobench_json(report, out / "neurobench.json")
    names = ["layers.csv", "layers.parquet", "layers.json", "report.json", "table.tex", "table.md"]
    names.append("neurobench.json")
    for stem, figure in {"energy": energy_figure(report), "rates": rate_figure(report)}.items():
        if figure is None:
            continue
        for suffix in ("svg", "png"):
            save_figure(figure, out / f"{stem}.{suffix}", report.origin)
            names.append(f"{stem}.{suffix}")
    return [out / each for each in names]
