"""Results of robustness experiments as a table, JSON and a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from spikeport.core.files import write_json, write_text
from spikeport.estimate.export.plots import save_figure
from spikeport.estimate.robustness.picture import robustness_figure
from spikeport.estimate.robustness.rows import Section

NAME = "robustness"


def save_sections(
    sections: Sequence[Section], folder: str | os.PathLike[str], about: Mapping[str, Any]
) -> list[Path]:
    """Write `robustness.csv` (one line per row), `.json` and `.svg`, each atomically.

    Args:
        about: what the network (`model`) and the samples (`data`, `provenance`) are, and more;
            goes into all three.

    Raises:
        FileError: a file cannot be written.
    """
    import pandas as pd

    files = [Path(folder) / f"{NAME}.{suffix}" for suffix in ("csv", "json", "svg")]
    table, document, picture = files
    told = {key: about[key] for key in ("model", "data", "provenance") if key in about}
    rows = [told | asdict(row) for section in sections for row in section.rows]
    write_text(table, pd.DataFrame(rows).to_csv(index=False))
    write_json(document, as_json(sections, about))
    origin = {key: str(value) for key, value in about.items()}
    title = f"{about.get('model', '')} on {about.get('data', '')}: {about.get('provenance', '')}"
    save_figure(robustness_figure(sections, title), picture, origin)
    return files


def as_json(sections: Sequence[Section], about: Mapping[str, Any]) -> dict[str, Any]:
    """JSON values: facts about the run, then the sections."""
    return {**about, "sections": [section.as_json() for section in sections]}
