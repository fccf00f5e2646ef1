"""`spikeport demo`: the main job from one command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import output


def run(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")] = Path(
        "spikeport-demo"
    ),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print summary.json instead of the page.")
    ] = False,
) -> None:
    """Run the whole pipeline on the network and data that come with Spikeport; works offline.

    Example: spikeport demo -o spikeport-demo
    """
    from rich.console import Console

    from spikeport.demo import Demo

    summary = Demo(out, Console(quiet=True) if as_json else output.console(markup=True)).run()
    if as_json:
        output.print_json(summary)
