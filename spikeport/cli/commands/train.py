"""`spikeport train`: train a model by a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikeport.cli import output

if TYPE_CHECKING:
    from spikeport.train.state import EpochReport


def run(
    recipe: Annotated[str, typer.Argument(help="A recipe name (spikeport list) or a .yaml file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Settings to change, key=value.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results; runs/RECIPE.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on where an earlier run stopped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model and write a checkpoint with its measured accuracy.

    Example: spikeport train digits

    Example: spikeport train digits epochs=5 seed=1 -o runs/short
    """
    from spikeport.train.loop import fit
    from spikeport.train.recipe import load_recipe

    chosen = load_recipe(recipe, overrides or [])
    folder = out or Path("runs") / Path(recipe).stem

    def report(epoch: EpochReport) -> None:
        if not as_json:
            output.console().print(
                f"epoch {epoch.epoch:3d} of {chosen.epochs}   loss {epoch.loss:.4f}   "
                f"{100 * epoch.train_accuracy:5.2f} % right on augmented training data   "
                f"{epoch.seconds:4.0f} s"
            )

    result = fit(chosen, folder, resume=resume, on_epoch=report)
    if as_json:
        output.print_json(
            {
                "accuracy": result.accuracy,
                "test_samples": result.test_samples,
                "checkpoint": str(result.checkpoint),
                "seconds": result.seconds,
                "cpu_seconds": result.cpu_seconds,
            }
        )
        return
    output.console().print(
        f"{100 * result.accuracy:.2f} % of {result.test_samples:,} held-out samples right, with "
        f"the final weights (no epoch was picked by the test data), after {result.seconds:.0f} s "
        f"({result.cpu_seconds:.0f} s of CPU time).\nWeights: {result.checkpoint}"
    )
