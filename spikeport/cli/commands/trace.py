"""`spikeport trace`: from a model to a graph file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikeport.cli import output
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.core.progress import working

if TYPE_CHECKING:
    from torch import Tensor


def run(
    model: Annotated[
        str, typer.Argument(help="A model name (spikeport list), or package.module:factory.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The graph file to write, *.spg.")],
    shape: Annotated[
        str | None,
        typer.Option(
            "--input",
            help="Input shape: B,C,H,W for images, B,T,C,H,W or T,B,C,H,W for sequences. "
            "Models by name know theirs.",
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Weights: .safetensors, or .pt / .pth of a state dict.")
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(help="Number of classes, if not the model's default.", min=1, max=100_000),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(
            help="What the input carries: spike (0/1), graded (event counts), real (images). "
            "Models by name know theirs; real otherwise."
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="Which axes of --input are time and batch, where the model leaves it open: "
            "TBCHW, BTCHW or BCHW."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            help="Number of time steps of a model whose time loop is outside of it.",
            min=1,
            max=100_000,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Trace a model into a graph, prove it equal spike by spike, and store it.

    Example: spikeport trace max_former_digits -o digits.spg

    Example: spikeport trace mypackage.nets:resnet --input 2,4,2,64,64 --domain graded -o net.spg
    """
    from spikeport.cli.sources import open_model, parse_shape
    from spikeport.convert import Domain, save_graph, trace
    from spikeport.train.models import MODELS

    if domain is not None and domain not in set(Domain):
        raise UnknownNameError("domain", domain, [str(name) for name in Domain])
    net = open_model(model, checkpoint, classes)
    if shape is None:
        if model not in MODELS:
            raise UsageError(
                "the input shape of a model of yours is not known.",
                where="--input",
                fix="Give it, such as --input 2,4,2,32,32.",
            )
        entry = MODELS[model]
        sizes: tuple[int, ...] = (2, entry.steps, *entry.input_shape)
    else:
        sizes = parse_shape(shape)
    declared = Domain(domain or ("graded" if model in MODELS else "real"))
    with working("Tracing and proving"):
        sample = sample_like(sizes, declared)
        graph = trace(net, sample, layout=layout, steps=steps, input_domain=declared)
    graph.metadata["model"] = model
    save_graph(graph, out)
    certificate = graph.metadata["certificate"]
    if as_json:
        output.print_json({"graph": str(out), "nodes": len(graph), "certificate": certificate})
        return
    output.console().print(
        f"{out}: {len(graph)} nodes; {certificate['spikes']:,} spikes in "
        f"{certificate['neurons']} neuron layers equal to the model's (float64, "
        f"{certificate['fired']:,} fired), outputs within {certificate['output_difference']:.1g}."
    )
    notes = {
        "silent": "never fired on the random sample, so equality says little there",
        "unread": "runs in the model, but nothing reads its spikes: it is left out",
    }
    for key, note in notes.items():
        for name in certificate[key]:
            output.console().print(f"Note: {name} {note}.")


def sample_like(shape: tuple[int, ...], domain: str) -> Tensor:
    """Random input of a domain, the same on every run."""
    import torch

    generator = torch.Generator().manual_seed(0)
    if domain == "spike":
        return (torch.rand(shape, generator=generator) < 0.2).float()
    if domain == "graded":
        return torch.poisson(torch.full(shape, 0.5), generator=generator)
    return torch.randn(shape, generator=generator)
