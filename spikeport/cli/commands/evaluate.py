"""`spikeport evaluate`: accuracy on data, on one or more targets."""

from __future__ import annotations

from operator import eq
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output

if TYPE_CHECKING:
    from spikeport.cli.runs import Run


@options.spread
def run(
    chosen: options.RunChoice,
    target: Annotated[
        str, typer.Option(help="Targets with commas between them; see spikeport list.")
    ] = "reference",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="JSON file to write.")] = None,
    as_json: options.Json = False,
) -> None:
    """Say how often a network is right, on each target, and how far the targets agree.

    Example: spikeport evaluate max_former_digits --data digits --target reference,lava
    """
    from spikeport.cli.runs import open_run
    from spikeport.core.files import write_json
    from spikeport.targets import TARGETS

    names = [name.strip() for name in target.split(",")]
    for name in names:
        # A typing error must not cost a run.
        TARGETS[name]
    opened = open_run(chosen)
    results = _measure(opened, names)
    content = {
        "model": chosen.model,
        "data": opened.data.name,
        "provenance": opened.data.provenance,
        "samples": opened.samples,
        "steps": opened.data.frame_shape[0],
        "targets": results,
    }
    if out is not None:
        write_json(out, content)
    if as_json:
        output.print_json(content)
        return
    rows = [
        [
            name,
            f"{100 * result['accuracy']:.2f}",
            f"{result['correct']} of {opened.samples}",
            f"{100 * result['agreement']:.2f}",
        ]
        for name, result in results.items()
    ]
    title = f"{chosen.model} on {opened.data.name}"
    columns = ["target", "accuracy %", "right", f"same answer as {names[0]} %"]
    output.console().print(output.table(title, columns, rows))
    output.console().print(f"\nData: {opened.data.provenance}.")


def _measure(opened: Run, names: list[str]) -> dict[str, dict[str, Any]]:
    from spikeport.estimate import accuracy
    from spikeport.targets import TARGETS

    judged = {}
    for name in names:
        executor = TARGETS[name].executor(opened.graph, opened.calibration)
        judged[name] = accuracy(executor, opened.batches(f"Evaluating on {name}"))
    first = judged[names[0]].predictions
    return {
        name: {
            "accuracy": result.top1,
            "correct": result.correct,
            "agreement": sum(map(eq, result.predictions, first)) / result.count,
        }
        for name, result in judged.items()
    }
