"""An evaluation as files: tables for programs, pictures."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from spikeport.core.files import remove_abandoned, write_json, write_text
from spikeport.estimate.evaluation.plots import confusion_figure, curve_figure
from spikeport.estimate.evaluation.result import Evaluation
from spikeport.estimate.export.plots import save_figure
from spikeport.estimate.formats import EVALUATION, PREDICTIONS


def save(found: Evaluation, folder: str | os.PathLike[str]) -> list[Path]:
    """Write all files of an evaluation, each atomically.

    Args:
        folder: made if it is missing.

    Returns:
        `evaluation.json`, `summary.csv`, `predictions.csv`, `classes.csv`, `reliability.csv`; by
        target `confusion_TARGET` as `.csv`, `.svg` and `.png`; of an evaluation with the curve
        `curve.csv`, `early_exit.csv`, and `accuracy_energy` as `.svg` and `.png`.

    Raises:
        FileError: a file cannot be written.
    """
    out = Path(folder)
    # What changes from run to run stands in the JSON file alone.
    summary = found.table().drop(columns=TIMES, errors="ignore")
    writers: dict[str, Callable[[Path], None]] = {
        EVALUATION: lambda path: write_json(path, found.as_json()),
        "summary.csv": partial(_csv, summary),
        PREDICTIONS: partial(_csv, found.predictions()),
        "classes.csv": partial(_csv, found.classes()),
        "reliability.csv": partial(_csv, found.reliability()),
    }
    figures: dict[str, Figure] = {}
    for name in found.targets:
        stem = f"confusion_{file_name(name)}"
        writers[f"{stem}.csv"] = partial(_csv, found.confusion(name).reset_index())
        figures[stem] = confusion_figure(found, name)
    if any(result.curve for result in found.targets.values()):
        writers["curve.csv"] = partial(_csv, found.curve())
        writers["early_exit.csv"] = partial(_csv, found.exits())
        figures["accuracy_energy"] = curve_figure(found)
    for stem, figure in figures.items():
        for suffix in ("svg", "png"):
            writers[f"{stem}.{suffix}"] = partial(save_figure, figure, origin=found.origin)
    for each, write in writers.items():
        remove_abandoned(out / each)
        write(out / each)
    return [out / each for each in writers]


TIMES = ["samples_per_second", "events_per_second", "p50_seconds", "p95_seconds"]


def file_name(target: str) -> str:
    """A target's name with nothing in it that a file system minds: `lava:pump` is `lava-pump`."""
    return "".join(each if each.isalnum() or each in "-_." else "-" for each in target)


def _csv(table: pd.DataFrame, path: Path) -> None:
    write_text(path, table.to_csv(index=False))
