"""`spikeport patterns`: the words of spikes that encoding neurons emit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output
from spikeport.cli.experiments import Layer, MeanOption, StdOption

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.convert import Graph
    from spikeport.estimate.patterns import Patterns

SHOWN = 16
"""Words in the table."""


@options.spread
def run(
    chosen: options.RunChoice,
    layer: Layer = None,
    mean: MeanOption = None,
    std: StdOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="JSON file to write, or *.csv.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Count which of the 2^T spike patterns the encoding neurons emit, and how evenly.

    Example: spikeport patterns max_former_digits --data digits --samples 100
    """
    from spikeport.convert import Interpreter
    from spikeport.core.errors import UsageError
    from spikeport.estimate.patterns import spike_patterns

    if out is not None and out.suffix not in (".csv", ".json"):
        raise UsageError(
            f"{out.name} is no table that can be written.",
            where="--out",
            fix="Name it *.csv or *.json.",
        )
    graph, batches, about = _opened(chosen, mean, std)
    found = spike_patterns(Interpreter(graph), batches, layer)
    content = about | found.as_json()
    if out is not None:
        _write(out, found, content)
    if as_json:
        output.print_json(content)
    else:
        _print(chosen.model, about, found)


def _opened(
    chosen: options.RunChoice, mean: str | None, std: str | None
) -> tuple[Graph, Iterable[tuple[Tensor, Tensor]], dict[str, Any]]:
    """A graph, its batches, and facts about both."""
    from spikeport.cli.pictures import image_graph, is_images, normalisation
    from spikeport.core.errors import UsageError
    from spikeport.runs import open_run

    scale = normalisation(mean, std)
    if is_images(chosen.data):
        graph, pictures = image_graph(chosen, scale)
        told = {"model": chosen.model, "data": chosen.data, "provenance": pictures.provenance}
        return graph, pictures.normalised("Counting patterns"), told
    if scale is not None:
        raise UsageError(
            "event frames are not normalised.",
            where="--mean, --std",
            fix="Leave them out, or give --data images:PATH.",
        )
    opened = open_run(chosen)
    told = {
        "model": chosen.model,
        "data": opened.data.name,
        "provenance": opened.data.provenance,
    }
    return opened.graph, opened.batches("Counting patterns"), told


def _write(out: Path, found: Patterns, content: dict[str, Any]) -> None:
    from spikeport.core.files import write_json, write_text

    if out.suffix == ".json":
        write_json(out, content)
        return
    lines = [f"{bits},{count},{count / found.words!r}" for bits, count in found.common(found.used)]
    told = f"# {content['model']} on {content['data']}: {content['provenance']}"
    write_text(out, "\n".join([told, "pattern,count,share", *lines]) + "\n")


def _print(model: str, about: dict[str, Any], found: Patterns) -> None:
    rows = [
        [bits, f"{count:,}", f"{100 * count / found.words:.3f}"]
        for bits, count in found.common(SHOWN)
    ]
    title = f"{model} on {about['data']}: patterns of {found.layer}, {found.steps} time steps"
    console = output.console()
    columns = ["pattern", "count", "share %"]
    # As the table's own title it would be folded to the width of the table.
    console.print(title)
    console.print(output.table("", columns, rows, right=("count", "share %")))
    if found.used > SHOWN:
        console.print(f"... and {found.used - SHOWN:,} rarer ones")
    console.print(
        f"\n{found.used:,} of {1 << found.steps:,} patterns, normalised entropy "
        f"{found.entropy:.4f}, {found.rate:.4f} spikes per neuron and step; {found.words:,} words "
        f"of {found.samples} samples. Data: {about['provenance']}."
    )
