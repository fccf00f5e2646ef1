"""`spikeport sweep`: many runs, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output
from spikeport.estimate.numbers import between, hundredths, signed

if TYPE_CHECKING:
    from spikeport.estimate.stats import Statistics
    from spikeport.sweep.table import Row


def run(
    grid: Annotated[Path, typer.Argument(help="What to run: a YAML file.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Parquet file for the rows.")],
    ray: options.Ray = None,
    workers: Annotated[
        int,
        typer.Option(
            help="Cells at a time on this machine, by Ray; 1 without --ray: in this process.",
            min=1,
            max=1024,
        ),
    ] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Leave out cells whose rows are in the file.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Run all combinations of some settings, and write one table.

    Exit code 1 if a cell was refused or broke: its row says why, and the others are run.

    Example: spikeport sweep examples/grids/targets.yaml -o targets.parquet

    Example: spikeport sweep examples/grids/targets.yaml -o targets.parquet --workers 2 --resume
    """
    from spikeport.runs import command_line
    from spikeport.sweep import load_grid, sweep
    from spikeport.sweep.cells import expand
    from spikeport.train.stopping import Stopped

    asked = load_grid(grid)
    varied = _varied([cell.keys for cell in expand(asked, str(grid))])
    try:
        rows = sweep(
            asked,
            out,
            address=ray,
            workers=workers,
            resume=resume,
            command=command_line(),
            source=str(grid),
            on_row=lambda row, count, total: _tell(row, varied, f"{count} of {total}"),
        )
    except Stopped:
        output.print_note("stopped on request; all is saved. Go on with --resume.")
        return
    failed = sum(bool(row.get("error")) for row in rows)
    if as_json:
        output.print_json([dict(row) for row in rows])
    else:
        _show(rows, varied, asked.task, out)
    if failed:
        raise typer.Exit(1)


def _varied(keys: list[dict[str, Any]]) -> list[str]:
    """Keys that are not the same in all cells; all of them where there is one cell."""
    found = [name for name in keys[0] if any(each[name] != keys[0][name] for each in keys)]
    return found or list(keys[0])


def _tell(row: Row, varied: list[str], place: str) -> None:
    """One line for a row that is done, on standard error."""
    name = ", ".join(f"{key} {_text(row[key])}" for key in varied if row[key] is not None)
    if row.get("error"):
        output.print_error(f"{place}: {name}: {row['error']}")
        return
    output.print_note(
        f"{place}: {name}: {hundredths(row['accuracy'])} % right, {row['energy_uJ']:.4g} uJ, "
        f"{row['seconds']:.1f} s"
    )


def _show(rows: list[Row], varied: list[str], task: str, out: Path) -> None:
    from spikeport.sweep.seeds import SEED

    console = output.console()
    cells = [[*(_text(row[key]) for key in varied), *_figures(row)] for row in rows]
    figures = ["accuracy %", "95 %", "spikes", "SOP", "uJ"]
    title = f"{len(rows)} cells: {'evaluated' if task == 'evaluate' else 'trained'}"
    console.print(output.table(title, [*varied, *figures], cells, right=("spikes", "SOP", "uJ")))
    console.print("Costs are means per sample; 95 %: Wilson's interval.")
    if SEED in varied:
        _show_seeds(rows, varied)
    for data in dict.fromkeys(row["provenance"] for row in rows if row.get("provenance")):
        console.print(f"Data: {data}.")
    for node in dict.fromkeys(row["uncounted"] for row in rows if row.get("uncounted")):
        console.print(f"Not counted, so that energies lack it: {node}.")
    console.print(f"Rows: {out}")


def _show_seeds(rows: list[Row], varied: list[str]) -> None:
    """What is left when the luck of the seed is averaged out."""
    from spikeport.sweep.seeds import SEED, changes, conditions

    console = output.console()
    names = [name for name in varied if name != SEED]
    cells = [
        [
            *(_text(found.keys[name]) for name in names),
            str(found.accuracy.samples),
            hundredths(found.accuracy.mean),
            _interval(found.accuracy),
            "-" if found.energy is None else f"{found.energy.mean:.4g}",
        ]
        for found in conditions(rows, varied)
    ]
    columns = [*names, "seeds", "accuracy %", "95 %", "uJ"]
    console.print(output.table("Means over seeds", columns, cells, right=("seeds", "uJ")))
    cells = [
        [
            found.axis,
            f"{_text(found.before)} to {_text(found.after)}",
            str(found.accuracy.samples),
            _points(found.accuracy),
        ]
        for found in changes(rows, varied)
    ]
    if cells:
        columns = ["axis", "change", "pairs", "accuracy in points (95 %)"]
        console.print(output.table("What each axis changes", columns, cells, right=("pairs",)))
    console.print(
        "95 %: Student's t over seeds, or over pairs of cells that agree in all else; not widened "
        "for the number of comparisons."
    )


def _interval(found: Statistics) -> str:
    return "-" if found.low is None or found.high is None else between(found.low, found.high)


def _points(found: Statistics) -> str:
    if found.low is None or found.high is None:
        return f"{100 * found.mean:+.2f}"
    return signed(found.mean, found.low, found.high)


def _figures(row: Row) -> list[str]:
    if row.get("accuracy") is None:
        return ["refused", "", "", "", ""]
    costs = [
        "-" if row.get(name) is None else f"{row[name]:{style}}"
        for name, style in (("spikes", ",.0f"), ("sop", ",.0f"), ("energy_uJ", ".4g"))
    ]
    return [
        hundredths(row["accuracy"]),
        between(row["accuracy_low"], row["accuracy_high"]),
        *costs,
    ]


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:g}" if isinstance(value, float) else str(value)
