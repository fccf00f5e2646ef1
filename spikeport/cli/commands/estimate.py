"""`spikeport estimate`: spikes, synaptic operations and energy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output


@options.spread
def run(
    chosen: options.RunChoice,
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
            "--out", "-o", help="Folder for layers.csv and report.json (capacity.csv with --chip)."
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Count what a network does on data, exactly, and charge it under an energy model.

    Exit code 1 if a node could not be counted.

    Example: spikeport estimate max_former_digits --data digits --samples 100
    """
    from spikeport.cli.runs import open_run
    from spikeport.convert import Interpreter
    from spikeport.estimate import DataInfo, energy_model, estimate
    from spikeport.estimate.capacity import chip_named

    charged = [energy_model(each.strip()) for each in energy.split(",")]
    chips = [chip_named(each.strip()) for each in chip.split(",")] if chip else []
    opened = open_run(chosen)
    report = estimate(
        Interpreter(opened.graph),
        opened.batches("Counting"),
        charged,
        data=DataInfo(chosen.data, chosen.split, opened.data.provenance),
        papers=paper or ["max-former"],
        chips=chips,
    )
    if out is not None:
        report.to_csv(out / "layers.csv")
        report.to_json(out / "report.json")
        files = ["layers.csv", "report.json"]
        if report.capacity is not None:
            report.capacity.to_csv(out / "capacity.csv")
            files.append("capacity.csv")
    if as_json:
        output.print_json(report.as_dict())
    else:
        output.console().print(report.render())
        if out is not None:
            output.console().print("\nFiles: " + ", ".join(str(out / name) for name in files))
    if not report.ledger.complete:
        raise typer.Exit(1)
