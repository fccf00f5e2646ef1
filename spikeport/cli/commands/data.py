"""`spikeport data`: make data sets, and look at events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output
from spikeport.cli.commands import data_show

app = typer.Typer(help="Make data sets, and look at events.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Make data sets, and look at events."""


app.command("show")(data_show.run)


@app.command("simulate")
def simulate(
    images: Annotated[
        Path,
        typer.Argument(
            help="An .npz with images [N, H, W] and labels [N], or a folder of class folders."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to make, or to go on with.")],
    test_share: Annotated[float, typer.Option(help="Share of each class held out as test.")] = 0.2,
    file_format: Annotated[
        str, typer.Option("--format", help="Files of which format: npz or aedat4.")
    ] = "npz",
    seed: Annotated[int, typer.Option(help="Of movement and sensor.", min=0)] = 0,
    as_json: options.Json = False,
) -> None:
    """Record images with a simulated event camera, into a folder that every command reads.

    The camera is that of the event digits: three saccades of 100 ms. An interrupted run goes on
    where it stopped.

    Example: spikeport data simulate images.npz -o events

    Example: spikeport estimate max_former_digits --data folder:events
    """
    from spikeport.train.data.images import open_images
    from spikeport.train.data.simulated_folder import simulate_folder

    made = simulate_folder(
        open_images(images),
        out,
        test_share=test_share,
        file_format=file_format,  # type: ignore[arg-type]
        seed=seed,
    )
    if as_json:
        output.print_json(
            {
                "folder": str(made.path),
                "train": made.train,
                "test": made.test,
                "found": made.found,
                "sensor_size": [made.sensor_size, made.sensor_size],
                "provenance": "simulated events",
            }
        )
        return
    earlier = f" ({made.found:,} were there)" if made.found else ""
    output.console().print(
        f"{made.train + made.test:,} recordings of simulated events{earlier}: {made.train:,} train "
        f"and {made.test:,} test, sensor {made.sensor_size} x {made.sensor_size}.\n"
        f"Use them with --data folder:{made.path}"
    )
