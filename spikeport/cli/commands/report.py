"""`spikeport report`: one page about networks, from what other commands wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output


def run(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="[NAME=]DIR...",
            help="Folders that estimate, evaluate, lower, train or spectrum wrote, folders that "
            "hold such, and tables of evaluate --bits; NAME= says which network they are about.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="HTML file to write.")] = Path(
        "report.html"
    ),
    as_json: options.Json = False,
) -> None:
    """Build one HTML page from results: verdict, network, energy, rates, accuracy, widths of the
    weights, parity, frequencies, coverage, provenance; of one network, or of several side by side.
    It needs no network to open.

    Results of the same graph are put together; others stand side by side.

    Example: spikeport report estimated evaluated lowered -o report.html

    Example: spikeport report former=runs/former resnet=runs/resnet -o both.html
    """
    from spikeport.core.progress import working
    from spikeport.report import write_report

    with working("Building the page"):
        subjects = write_report(places, out)
    told = {subject.name: [each.kind for each in subject.artefacts] for subject in subjects}
    size = out.stat().st_size
    if as_json:
        output.print_json({"file": str(out), "bytes": size, "networks": told})
        return
    rows = [[name, ", ".join(kinds)] for name, kinds in told.items()]
    console = output.console()
    console.print(output.table("On the page", ["network", "results"], rows))
    console.print(f"\nFile: {out}, {size / 1e6:.1f} MB.")
