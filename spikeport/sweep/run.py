"""A sweep over the cells of a grid, here or on a cluster."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from spikeport.cluster import connected, in_tasks
from spikeport.cluster.connection import AUTO
from spikeport.core.errors import UsageError
from spikeport.estimate.origin import origin_of_code
from spikeport.sweep.cells import Cell, expand
from spikeport.sweep.grid import Grid, beside
from spikeport.sweep.table import Row, SweepFile
from spikeport.sweep.work import Place, run_cell


def sweep(
    grid: Grid,
    out: str | os.PathLike[str],
    *,
    address: str | None = None,
    workers: int = 1,
    resume: bool = False,
    command: str = "",
    source: str = "grid",
    on_row: Callable[[Row, int, int], None] | None = None,
) -> list[Row]:
    """Run every cell of a grid, and write one row for each to a Parquet file.

    A cell that is refused or breaks does not stop the others: its row has the reason as `error`.

    Args:
        out: the file. Trained networks go to a folder beside it, which machines of a cluster must
            share.
        address: of a Ray cluster, see `connected`; without one and with one worker, cells run in
            this process, one after the other.
        workers: cells at a time on a cluster that is started here.
        resume: leave out cells whose row is there and has no error.
        command: how this was called; stands in the file.
        source: where the grid comes from, for errors.
        on_row: called with each new row, how many rows there are now, and how many there will be.

    Raises:
        UsageError: the grid makes no sense, or the file is there and not to be gone on with.
        SpikeportError: the cluster cannot be used, or the file cannot be written.
        Stopped: SIGTERM came in the middle of a training in this process; `resume` goes on there.
    """
    path = Path(out).absolute()
    cells = expand(grid, source)
    facts = {"grid": json.dumps(grid.model_dump(), default=str), "command": command}
    table = SweepFile(
        path, [cell.hash for cell in cells], {**facts, **origin_of_code()}, resume=resume
    )
    runs = beside(path)
    if grid.task == "train" and runs.exists() and not resume:
        raise UsageError(
            "the networks of an earlier sweep are there already.",
            where=str(runs),
            fix="Go on with them by --resume, remove them, or choose another name.",
        )
    todo = [cell for cell in cells if cell.hash not in table.done]
    for count, row in enumerate(_rows(todo, runs, address, workers), len(cells) - len(todo) + 1):
        table.add(row)
        if on_row is not None:
            on_row(row, count, len(cells))
    return table.rows


def _rows(cells: Sequence[Cell], runs: Path, address: str | None, workers: int) -> Iterator[Row]:
    place = Place(os.getcwd(), str(runs))
    if not cells:
        return
    if address is None and workers == 1:
        for cell in cells:
            yield run_cell(place, cell)
        return
    with connected(address or AUTO, workers=workers if workers > 1 else None):
        for _, row in in_tasks(run_cell, place, len(cells), cells.__getitem__):
            yield row
