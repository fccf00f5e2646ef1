"""`spikeport trace`: from a model to a graph file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output
from spikeport.cli.proof import proof_lines


@options.spread
def run(
    model: Annotated[
        str, typer.Argument(help="A model name (spikeport list), or package.module:factory.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The graph file to write, *.spg.")],
    given: options.InputChoice,
    checkpoint: options.Checkpoint = None,
    classes: Annotated[
        int | None,
        typer.Option(help="Number of classes, if not the model's default.", min=1, max=100_000),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Trace a model into a graph, prove it equal spike by spike, and store it.

    Example: spikeport trace max_former_digits -o digits.spg

    Example: spikeport trace mypackage.nets:resnet --input 2,4,2,64,64 --domain graded -o net.spg
    """
    from spikeport.cli.sources import trace_random
    from spikeport.convert import read_seal
    from spikeport.convert.storage import graph_path

    graph_path(out)  # a wrong name must not cost a trace
    graph = trace_random(model, checkpoint, classes, given)
    graph.save(out)
    if as_json:
        certificate = graph.metadata["certificate"]
        output.print_json({"graph": str(out), "nodes": len(graph), "certificate": certificate})
        return
    output.console().print(f"{out}: {len(graph)} nodes.")
    for line in proof_lines(read_seal(graph)):
        output.console().print(line)
