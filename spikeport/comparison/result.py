"""A comparison: rows, each against the first, the front of accuracy and energy, and its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikeport.comparison.against import Against, against
from spikeport.comparison.front import front, in_figure
from spikeport.comparison.publications import Published, published
from spikeport.comparison.reading import read_rows
from spikeport.comparison.rows import Row
from spikeport.core.files import remove_abandoned, write_json, write_text
from spikeport.estimate.formats import COMPARISON_STAMP
from spikeport.estimate.origin import origin_of_code

if TYPE_CHECKING:
    import pandas as pd

TABLE, VALUES, FIGURE = "compare.csv", "compare.json", "pareto.svg"


@dataclass(frozen=True)
class Comparison:
    """Rows in the order in which they were named.

    Attributes:
        rows: what was measured; the first is what others are compared with.
        published: figures of publications, not measured here and compared with nothing.
    """

    rows: tuple[Row, ...]
    published: tuple[Published, ...] = ()

    @cached_property
    def against(self) -> tuple[Against | None, ...]:
        """By row; None for the first."""
        first, *others = self.rows
        return (None, *(against(first, row) for row in others))

    @cached_property
    def figure(self) -> list[int]:
        """Places of the rows that stand on the axes of the figure, see `front.in_figure`."""
        return in_figure(self.rows)

    @cached_property
    def front(self) -> frozenset[int]:
        """Places of the rows that no other row of the figure dominates."""
        return front(self.rows)

    def table(self) -> pd.DataFrame:
        """One row per network, published ones last; shares are 0 to 1, energies uJ per sample."""
        import pandas as pd

        measured = [self._line(place) for place in range(len(self.rows))]
        table = pd.DataFrame([*measured, *map(_published_line, self.published)])
        whole = ["steps", "bits", "samples", "correct", "parameters", "latency_steps"]
        return table.astype(dict.fromkeys(whole, "Int64"))

    def as_json(self) -> dict[str, Any]:
        """All of it but single samples, as JSON values."""
        return {
            "format": COMPARISON_STAMP[0],
            "version": COMPARISON_STAMP[1],
            "origin": origin_of_code(),
            "rows": [self._as_json(place) for place in range(len(self.rows))],
            "published": [
                {"table": each.table, "source": each.source, **each.row.model_dump(mode="json")}
                for each in self.published
            ],
        }

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write `compare.csv`, `compare.json` and, where a row has accuracy and energy,
        `pareto.svg`, each atomically.

        Args:
            folder: made if it is missing.

        Raises:
            FileError: a file cannot be written.
        """
        from spikeport.comparison.pareto import pareto_figure
        from spikeport.estimate.export.plots import save_figure

        writers: dict[str, Callable[[Path], None]] = {
            TABLE: lambda path: write_text(path, self.table().to_csv(index=False)),
            VALUES: lambda path: write_json(path, self.as_json()),
        }
        if self.figure:
            writers[FIGURE] = partial(save_figure, pareto_figure(self), origin=origin_of_code())
        out = Path(folder)
        for name, write in writers.items():
            remove_abandoned(out / name)
            write(out / name)
        return [out / name for name in writers]

    def _line(self, place: int) -> dict[str, Any]:
        row, found = self.rows[place], self.against[place]
        right, energy = row.right, row.energy
        accuracy = None if found is None else found.accuracy
        saving = None if found is None else found.energy
        return {
            "origin": "measured",
            **self._facts(place),
            "correct": None if right is None else right.hits,
            "accuracy": None if right is None else right.value,
            "accuracy_low": None if right is None else right.interval[0],
            "accuracy_high": None if right is None else right.interval[1],
            "energy_model": None if energy is None else energy.model,
            "energy_uJ": None if energy is None else energy.mean,
            "energy_uJ_low": None if energy is None else energy.low,
            "energy_uJ_high": None if energy is None else energy.high,
            "difference": None if accuracy is None else accuracy.difference,
            "difference_low": None if accuracy is None else accuracy.low,
            "difference_high": None if accuracy is None else accuracy.high,
            "p_value": None if accuracy is None else accuracy.p_value,
            "method": None if accuracy is None else accuracy.method,
            "energy_difference_uJ": None if saving is None else saving.difference,
            "energy_difference_uJ_low": None if saving is None else saving.low,
            "energy_difference_uJ_high": None if saving is None else saving.high,
            "energy_ratio": None if saving is None else saving.ratio,
            "notes": "; ".join(self.notes(place)),
        }

    def _as_json(self, place: int) -> dict[str, Any]:
        row, found = self.rows[place], self.against[place]
        right = row.right
        return {
            **self._facts(place),
            "data_sha256": row.data_sha256,
            "graph_sha256": row.graph_sha256,
            "accuracy": None
            if right is None
            else {"value": right.value, "interval": list(right.interval), "correct": right.hits},
            "energy_uJ": None if row.energy is None else asdict(row.energy),
            "against_first": None if found is None else asdict(found),
            "notes": list(row.notes),
        }

    def _facts(self, place: int) -> dict[str, Any]:
        """What a row has in table and JSON alike."""
        row = self.rows[place]
        return {
            "name": row.name,
            "source": str(row.source),
            "model": row.model,
            "target": row.target,
            "steps": row.steps,
            "bits": row.bits,
            "data": row.data,
            "provenance": row.provenance,
            "samples": row.samples,
            "sop": row.sop,
            "parameters": row.parameters,
            "latency_steps": row.latency_steps,
            "on_front": place in self.front if place in self.figure else None,
        }

    def notes(self, place: int) -> list[str]:
        """What a reader should know about a row: gaps in its figures, why something is not
        compared, or not in pairs."""
        row, found = self.rows[place], self.against[place]
        told = list(row.notes)
        if found is not None:
            if found.accuracy is None:
                told.append(f"accuracy not compared: {found.accuracy_reason}")
            elif found.accuracy.reason:
                told.append(f"not in pairs: {found.accuracy.reason}")
            if found.energy is None:
                told.append(f"energy not compared: {found.energy_reason}")
        return told


def compare(
    places: Iterable[str | os.PathLike[str]], *, curve: bool = False, tables: Iterable[str] = ()
) -> Comparison:
    """Compare what `estimate` and `evaluate` wrote; the first row is the one compared with.

    Args:
        places: folders and files, see `spikeport.comparison.reading.read_rows`.
        curve: also a row for each number of steps after which a network was stopped.
        tables: published tables whose rows stand beside, or `all`.

    Raises:
        UsageError: no place is given, they hold too many rows, or no table has this name.
        FileError: a place holds nothing that can be compared, or something that cannot be used.
    """
    # A typing error is told before anything is read.
    beside = {each: None for name in tables for each in published(name)}
    return Comparison(tuple(read_rows(places, curve=curve)), tuple(beside))


def _published_line(each: Published) -> dict[str, Any]:
    row = each.row
    return {
        "name": row.name,
        "origin": "published, not measured here",
        "model": row.model,
        "steps": row.steps,
        "data": row.data,
        "accuracy": row.accuracy,
        "energy_model": None if row.energy_mj is None else f"published: {each.convention.meaning}",
        "energy_uJ": row.energy_uj,
        "sop": None if row.sop_g is None else float(row.sop_g * 10**9),
        "parameters": None if row.parameters_m is None else int(row.parameters_m * 10**6),
        "notes": row.note,
        "source": each.source,
    }
