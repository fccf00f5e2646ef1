"""`spikeport estimate`: spikes, synaptic operations and energy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output
from spikeport.cli.settings import names_in
from spikeport.core.errors import UsageError

PROGRESS = "progress.npz"
"""In the folder of the results while a run is not finished."""


@options.spread
def run(
    chosen: options.RunChoice,
    sharing: options.SharingChoice,
    energy: Annotated[
        str,
        typer.Option(
            help="Energy models (spikeport list) or .toml files of yours, commas between them; "
            "tables are by the first."
        ),
    ] = "horowitz45-fp32",
    paper: Annotated[
        list[str] | None,
        typer.Option(
            help="Published convention to show beside the exact count: NAME or "
            "NAME:SWITCH=VALUE, see spikeport list. Repeat for several."
        ),
    ] = None,
    chip: Annotated[
        str | None,
        typer.Option(
            help="Compare the network with the limits of chips (spikeport list) or .toml files of "
            "yours, commas between them."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for tables, report and figures (capacity.csv with --chip).",
        ),
    ] = None,
    per_sample: Annotated[
        bool,
        typer.Option("--per-sample", help="Write the counts of each sample to per_sample.parquet."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run in the folder --out.")
    ] = False,
    float64: Annotated[
        bool,
        typer.Option("--float64", help="Run in float64, so that rounding decides about no spike."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap of the intervals.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Count what a network does on data, exactly, and charge it under an energy model.

    Exit code 1 if a node could not be counted.

    Example: spikeport estimate max_former_digits --data digits --samples 100
    """
    import torch

    from spikeport.cluster import shared_out
    from spikeport.convert import Interpreter
    from spikeport.estimate import DataInfo, Progress, SampleFile, energy_model, estimate
    from spikeport.estimate.capacity import chip_named
    from spikeport.estimate.export import export
    from spikeport.estimate.origin import one_line
    from spikeport.runs import BATCH, command_line, open_run

    charged = [energy_model(name) for name in names_in(energy)]
    chips = [chip_named(name) for name in names_in(chip)] if chip else []
    if out is None and (per_sample or resume):
        raise UsageError(
            "there is no folder for it.",
            where="--per-sample" if per_sample else "--resume",
            fix="Name one by --out.",
        )
    opened = open_run(chosen)
    batches = opened.shared_out()
    rows = progress = None
    digest = ""
    if out is not None:
        digest = batches.digest()
        settings = {
            **{"data": opened.data.name, "split": chosen.split, "samples": opened.samples},
            **{"framing": opened.framing, "batch size": BATCH, "frames": digest},
        }
        progress = Progress(out / PROGRESS, resume=resume, settings=settings)
        rows = SampleFile(out / "per_sample.parquet", resume=resume) if per_sample else None
    with shared_out(sharing.workers, sharing.ray) as workers:
        report = estimate(
            Interpreter(opened.graph, torch.float64 if float64 else torch.float32),
            batches,
            charged,
            data=DataInfo(chosen.data, chosen.split, opened.data.provenance, digest),
            papers=paper or ["max-former"],
            chips=chips,
            seed=seed,
            workers=workers,
            progress=progress,
            per_sample=rows,
        )
    if out is not None:
        files = export(report, out, name=chosen.model, command=command_line())
        if report.capacity is not None:
            report.capacity.to_csv(out / "capacity.csv", one_line(report.origin))
            files.append(out / "capacity.csv")
        if rows is not None:
            files.append(rows.path)
    if progress is not None:
        progress.remove()
    if rows is not None:
        rows.remove_parts()
    if as_json:
        output.print_json(report.as_dict())
    else:
        output.console().print(report.render())
        if out is not None:
            output.console().print("\nFiles: " + ", ".join(map(str, files)))
    if not report.ledger.complete:
        raise typer.Exit(1)
