"""The table of a sweep, written as it grows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from spikeport.core.errors import FileError, UsageError
from spikeport.core.files import atomic_path, readable_file

HASH = "settings_hash"
RESULTS = {
    "accuracy": pa.float64(),
    "accuracy_low": pa.float64(),
    "accuracy_high": pa.float64(),
    "correct": pa.int64(),
    "tested": pa.int64(),
    "spikes": pa.float64(),
    "sop": pa.float64(),
    "sop_low": pa.float64(),
    "sop_high": pa.float64(),
    "energy_uJ": pa.float64(),
    "energy_uJ_low": pa.float64(),
    "energy_uJ_high": pa.float64(),
    "seconds": pa.float64(),
    "uncounted": pa.string(),
    "provenance": pa.string(),
    "error": pa.string(),
    HASH: pa.string(),
}
"""Columns behind those of the settings. Costs are means per sample; intervals are at 95 %."""

Row = Mapping[str, Any]


class SweepFile:
    """Rows in a Parquet file, which is whole after each.

    Args:
        path: of the file.
        order: hashes of all cells, in the order that rows are to have.
        facts: stand in the file beside the table.
        resume: go on with what is in the file.

    Raises:
        UsageError: the file is there and not to be gone on with, or holds other rows; or the name
            is not that of a Parquet file.
        FileError: it cannot be read.
    """

    def __init__(
        self, path: Path, order: Sequence[str], facts: Mapping[str, str], *, resume: bool
    ) -> None:
        if path.suffix != ".parquet":
            raise UsageError(
                "the table of a sweep is a Parquet file.", where=str(path), fix="Name it *.parquet."
            )
        self.path, self._order, self._facts = path, list(order), dict(facts)
        self._rows: dict[str, Row] = {}
        if not path.exists():
            return
        if not resume:
            raise UsageError(
                "this table is there already.",
                where=str(path),
                fix="Go on with it by --resume, or choose another name.",
            )
        self._rows = {row[HASH]: row for row in read_rows(path)}
        foreign = len(self._rows.keys() - set(order))
        if foreign:
            raise UsageError(
                f"{foreign} of its rows have settings that this grid, these files or this version "
                "do not have.",
                where=str(path),
                fix="Write to another file, or run the grid that made this one.",
            )

    @property
    def done(self) -> set[str]:
        """Cells that need not be run again; those that failed are tried once more."""
        return {name for name, row in self._rows.items() if not row.get("error")}

    @property
    def rows(self) -> list[Row]:
        return [self._rows[name] for name in self._order if name in self._rows]

    def add(self, row: Row) -> None:
        """Write the table with one row more.

        Raises:
            FileError: the file cannot be written; the earlier one is whole.
        """
        self._rows[row[HASH]] = row
        rows = self.rows
        names = list(dict.fromkeys(name for each in rows for name in each))
        columns = [name for name in names if name not in RESULTS] + list(RESULTS)
        arrays = [_array(name, [each.get(name) for each in rows]) for name in columns]
        table = pa.table(arrays, names=columns).replace_schema_metadata(self._facts)
        with atomic_path(self.path) as temporary:
            pq.write_table(table, temporary)


def read_rows(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The rows of a sweep's table.

    Raises:
        FileError: it is missing, damaged, or no table of a sweep.
    """
    file = readable_file(path, "table")
    try:
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise FileError(
            f"this is no Parquet file that can be read ({str(error).splitlines()[0][:200]}).",
            where=str(file),
            fix="Remove it, or choose another name.",
        ) from error
    if any(not isinstance(row.get(HASH), str) for row in rows):
        raise FileError(
            "this table was not written by a sweep.",
            where=str(file),
            fix="Choose another name.",
        )
    return rows


def _array(name: str, values: Sequence[Any]) -> pa.Array:
    kind = RESULTS.get(name) or _kind(values)
    texts = kind == pa.string()
    return pa.array([_text(each) for each in values] if texts else values, type=kind)


def _kind(values: Iterable[Any]) -> pa.DataType:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    return pa.float64() if kinds and kinds <= {int, float} else pa.string()


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str)
