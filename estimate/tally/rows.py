"""Counts of single samples as a table."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from spikeport.core.errors import FileError, UsageError
from spikeport.core.files import atomic_path, remove_abandoned
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.exact import Counts
from spikeport.estimate.tally.terms import Term

if TYPE_CHECKING:
    from spikeport.estimate.tally.tally import Tally

SAMPLE_COLUMNS = ("sample", "node", "path", *(term.value for term in Term))
"""Columns of `per_sample.parquet`: counts as in `layers.csv`, empty where a node has none."""

_PART = r"\d{8}\.parquet"


def sample_rows(tally: Tally, counts: Counts) -> pd.DataFrame:
    """One row per sample and counted node.

    Args:
        tally: whose graph it is.
        counts: `[B, K]`, the tally's keys.
    """
    names = [n for n, plan in tally.plans.items() if plan.status is not Coverage.ZERO]
    samples, columns = len(counts), {key: index for index, key in enumerate(tally.keys)}
    table: dict[str, Any] = {
        "sample": np.repeat(np.arange(samples, dtype=np.int64), len(names)),
        "node": names * samples,
        "path": [tally.graph[name].path for name in names] * samples,
    }
    for term in Term:
        values = np.zeros((samples, len(names)), dtype=np.int64)
        missing = np.zeros((samples, len(names)), dtype=bool)
        for place, name in enumerate(names):
            plan = tally.plans[name]
            values[:, place] = plan.fixed(term, tally.steps or 0)
            missing[:, place] = term not in plan.terms
            if (name, term) in columns:
                values[:, place] += counts[:, columns[name, term]]
        table[term.value] = pd.arrays.IntegerArray(values.ravel(), missing.ravel())
    return pd.DataFrame(table, columns=list(SAMPLE_COLUMNS))


class SampleFile:
    """Rows of samples as one Parquet file, written in parts as batches finish, in any order.

    Each finished batch is a file of its own in the folder `<path>.parts`, so that a run can go on
    after it was killed; `finish` joins them in the order of the batches, one at a time.

    Args:
        path: the Parquet file.
        resume: keep the parts of an interrupted run.
    """

    def __init__(self, path: str | os.PathLike[str], *, resume: bool = False) -> None:
        self.path = Path(path)
        self.parts = self.path.with_name(self.path.name + ".parts")
        self._remove_abandoned()
        if not resume:
            self.remove_parts()

    def add(self, index: int, rows: pd.DataFrame) -> None:
        """Write the rows of one batch.

        Raises:
            FileError: it cannot be written.
        """
        with atomic_path(self.parts / f"{index:08d}.parquet") as temporary:
            pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), temporary)

    def finish(self, batches: int, origin: Mapping[str, str]) -> None:
        """Join the parts; samples are then numbered in the order of the batches.

        Args:
            batches: how many there are.
            origin: metadata of the file.

        Raises:
            UsageError: there is no batch.
            FileError: it cannot be written, or a part is missing or damaged.
        """
        if not batches:
            raise UsageError("there is no batch, so there are no rows.", where=str(self.path))
        first, writer = 0, None
        with atomic_path(self.path) as temporary:
            try:
                for index in range(batches):
                    table = _part(self.parts / f"{index:08d}.parquet")
                    numbers = table["sample"].to_numpy() + first
                    first = int(numbers[-1]) + 1 if len(numbers) else first
                    table = table.set_column(0, "sample", pa.array(numbers))
                    table = table.replace_schema_metadata(
                        {**(table.schema.metadata or {}), **dict(origin)}
                    )
                    writer = writer or pq.ParquetWriter(temporary, table.schema)
                    writer.write_table(table)
            finally:
                if writer is not None:
                    writer.close()

    def _remove_abandoned(self) -> None:
        """What a kill left half written."""
        remove_abandoned(self.path)
        for left in self.parts.iterdir() if self.parts.is_dir() else ():
            if found := re.match(rf"\.({_PART})\.", left.name):
                remove_abandoned(self.parts / found.group(1))

    def remove_parts(self) -> None:
        """Remove the files that `add` wrote, and their folder if nothing else is in it."""
        if not self.parts.is_dir():
            return
        for part in self.parts.iterdir():
            if re.fullmatch(_PART, part.name):
                part.unlink()
        if not any(self.parts.iterdir()):
            self.parts.rmdir()


def _part(path: Path) -> pa.Table:
    """The rows of one batch."""
    try:
        table = pq.read_table(path)
        if tuple(table.column_names) != SAMPLE_COLUMNS:
            raise ValueError("it holds other columns")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise FileError(
            f"these counts of a batch cannot be read: {str(error)[:200]}.",
            where=str(path),
            fix="Count from the beginning, without resuming.",
        ) from error
    return table
