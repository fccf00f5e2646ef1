"""`spikeport compare`: results beside each other, each against the first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output
from spikeport.cli.settings import names_in


def run(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]DIR...",
            help="Folders that estimate or evaluate wrote, or that hold such, and tables of "
            "evaluate --bits; NAME= names the network. The first row is the one compared with.",
            show_default=False,
        ),
    ],
    curve: Annotated[
        bool,
        typer.Option("--curve", help="Also a row for each step after which a network is stopped."),
    ] = False,
    published: Annotated[
        str | None,
        typer.Option(
            metavar="TABLE|all",
            help="Rows of a published table beside, or of several with commas between them; an "
            "unknown name lists all.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for compare.csv, compare.json and pareto.svg.",
            metavar="DIR",
        ),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Compare models, time steps, widths of weights or targets: accuracy, energy, operations,
    parameters and latency, with intervals, and the difference of each from the first.

    Differences are paired where both saw the same samples. Energies are compared under one energy
    model only.

    Example: spikeport compare former=runs/former resnet=runs/resnet -o compared

    Example: spikeport compare evaluated --curve

    Example: spikeport compare evaluated --published max-former-imagenet -o compared
    """
    from spikeport.cli.comparing import show
    from spikeport.comparison import compare

    names = [] if published is None else names_in(published)
    found = compare(places, curve=curve, tables=names)
    files = [] if out is None else found.save(out)
    if as_json:
        output.print_json(found.as_json())
        return
    show(found)
    if files:
        output.console().print(f"\nFiles: {', '.join(path.name for path in files)}.")
