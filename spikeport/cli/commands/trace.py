"""`spikeport trace`: from a model to a graph file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options, output
from spikeport.cli.proof import proof_lines
from spikeport.core.errors import UsageError


@options.spread
def run(
    model: Annotated[
        str, typer.Argument(help="A model name (spikeport list), package.module:factory, or *.nir.")
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

    A NIR file is read into a graph; there is no model to prove it with.

    Example: spikeport trace max_former_digits -o digits.spg

    Example: spikeport trace mypackage.nets:resnet --input 2,4,2,64,64 --domain graded -o net.spg
    """
    from spikeport.cli.sources import open_given_nir, trace_random
    from spikeport.convert import read_seal
    from spikeport.convert.storage import graph_path
    from spikeport.sources import is_nir

    graph_path(out)  # a wrong name must not cost a trace
    if is_nir(model):
        if checkpoint is not None or classes is not None:
            raise UsageError(
                "a NIR file has its weights and classes.", where=model, fix="Leave these out."
            )
        graph = open_given_nir(model, given)
    else:
        graph = trace_random(model, checkpoint, classes, given)
    graph.save(out)
    if as_json:
        certificate = graph.metadata.get("certificate")
        output.print_json({"graph": str(out), "nodes": len(graph), "certificate": certificate})
        return
    output.console().print(f"{out}: {len(graph)} nodes.")
    for line in proof_lines(read_seal(graph)):
        output.console().print(line)
