"""What `spikeport evaluate --bits -o` wrote: one table, as `.json` or `.csv`."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from spikeport.estimate.formats import BITS_STAMP
from spikeport.estimate.stats import Share
from spikeport.report.artefacts.reading import Part, checked, read_part, read_text, unusable

SUFFIXES = (".json", ".csv")
_HEAD = 4096


class Width(Part):
    """One width of the weights, None: the float network; see `spikeport.bits.BitsRow`.

    Entries that may be None need not be there.
    """

    bits: int | None
    correct: int
    count: int
    difference: float
    difference_low: float
    difference_high: float
    p_value: float
    sop: float
    energy_uj: float
    agreement: float | None = None
    worst_alone: float | None = None
    rate_error: float | None = None
    weight_bytes: int | None = None
    warnings: int | None = None

    @property
    def right(self) -> Share:
        return Share(self.correct, self.count)


class Widths(Part):
    """The file; a table as `.csv` does not tell what is not counted."""

    rows: tuple[Width, ...]
    energy_model: str
    uncounted: tuple[str, ...] = ()
    model: str = ""
    data: str = ""
    provenance: str = ""
    steps: int | None = None
    graph_sha256: str = ""


@dataclass(frozen=True)
class WidthsArtefact:
    """Accuracy and cost by width of the weights, each against the float network."""

    kind: ClassVar[str] = "sweep over widths"

    source: Path
    content: Widths

    @property
    def model(self) -> str:
        return self.content.model

    @property
    def graphs(self) -> frozenset[str]:
        """Hash of the float network."""
        return frozenset(filter(None, [self.content.graph_sha256]))


def find(folder: Path) -> WidthsArtefact | None:
    """The sweep in a folder, whatever its file is called.

    Raises:
        FileError: there are several, or one that cannot be used.
    """
    paths = [path for path in sorted(folder.iterdir()) if is_sweep(path)]
    if len(paths) > 1:
        names = ", ".join(path.name for path in paths)
        raise unusable(folder, "folder", f"it holds {len(paths)} sweeps over widths: {names}")
    return of_file(paths[0]) if paths else None


def is_sweep(path: Path) -> bool:
    """By its first bytes: other files beside it may be large, and are not read."""
    if path.suffix not in SUFFIXES:
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if path.suffix == ".json":
        return BITS_STAMP[0].encode() in head
    columns = head.partition(b"\n")[0].strip().split(b",")
    return {b"bits", b"energy_uj"} <= set(columns)


def of_file(path: Path) -> WidthsArtefact:
    """The sweep in a file.

    Raises:
        FileError: it is none, or one that cannot be used.
    """
    kind = WidthsArtefact.kind
    if path.suffix == ".json":
        content = read_part(path, kind, Widths, BITS_STAMP)
    else:
        content = checked(_table(path), path, kind, Widths)
    if not content.rows:
        raise unusable(path, kind, "it holds no row")
    if any(not 0 <= row.correct <= row.count or not row.count for row in content.rows):
        raise unusable(path, kind, "more samples are right than there are, or there are none")
    return WidthsArtefact(path, content)


def _table(path: Path) -> dict[str, Any]:
    """A table in the form of the JSON file: facts that hold for all rows stand in each."""
    import pandas as pd

    kind = WidthsArtefact.kind
    try:
        table = pd.read_csv(io.StringIO(read_text(path, kind)))
    except (ValueError, pd.errors.ParserError) as error:
        raise unusable(path, kind, f"it is no table ({str(error)[:200]})") from error
    rows = [
        {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
    facts = rows[0] if rows else {"energy_model": ""}
    shared = {name: facts[name] for name in Widths.model_fields if facts.get(name) is not None}
    return {**shared, "rows": rows}
