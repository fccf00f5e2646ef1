"""`spikeport show`: what a graph holds, where real values run, and what was proven."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import options, output
from spikeport.cli.proof import proof_lines

if TYPE_CHECKING:
    from spikeport.convert import Graph, Layer, Seal, SpikeDriven

_EDGES_SHOWN = 12


@options.spread
def run(
    model: options.Model,
    given: options.InputChoice,
    checkpoint: options.Checkpoint = None,
    dot: Annotated[
        Path | None, typer.Option(help="Write the graph as a Graphviz file, edges by domain.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option(help="Draw the graph as SVG, edges coloured by domain.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Print the layers of a network, say whether it is spike-driven, and show its certificate.

    A network is spike-driven if weights and products meet spikes, counts of spikes, or either times
    a constant. Where they meet real values, the edges are listed.

    Example: spikeport show digits.spg

    Example: spikeport show max_former_digits --svg digits.svg --dot digits.dot
    """
    from spikeport.cli.sources import graph_or_trace
    from spikeport.convert import layers, read_seal, spike_driven

    graph = graph_or_trace(model, checkpoint, given)
    seal, driven, table = read_seal(graph), spike_driven(graph), layers(graph)
    files = _draw(graph, dot, svg)
    if as_json:
        output.print_json(
            {
                "graph": model,
                "source": graph.metadata.get("source"),
                "outputs": list(graph.outputs),
                "layers": [layer.as_json() for layer in table],
                **driven.as_json(),
                "certificate": None if seal is None else seal.as_json(),
                "files": files,
            }
        )
        return
    _print(model, table, driven, seal)
    if files:
        output.console().print(f"\nFiles: {', '.join(files)}")


def _draw(graph: Graph, dot: Path | None, svg: Path | None) -> list[str]:
    from spikeport.convert.seeing import draw_dot, draw_svg
    from spikeport.core.files import write_text

    if dot is not None:
        write_text(dot, draw_dot(graph))
    if svg is not None:
        write_text(svg, draw_svg(graph))
    return [str(path) for path in (dot, svg) if path is not None]


def _print(name: str, table: tuple[Layer, ...], driven: SpikeDriven, seal: Seal | None) -> None:
    console = output.console()
    rows = [
        [
            layer.path if layer.path else layer.node,
            layer.op,
            _read(layer),
            ("T " if layer.per_step else "") + _sizes(layer.shape),
            layer.domain,
            f"{layer.parameters:,}" if layer.parameters else "",
            f"{layer.neurons:,}" if layer.neurons else "",
        ]
        for layer in table
    ]
    columns = ["module", "op", "in", "out", "domain", "parameters", "neurons"]
    grid = output.table(name, columns, rows, right=("parameters", "neurons"))
    grid.collapse_padding = True  # so that paths fit
    console.print(grid)
    neurons = sum(layer.neurons for layer in table)
    parameters = sum(layer.parameters for layer in table)
    console.print(
        f"{len(table)} nodes, {neurons:,} neurons, {parameters:,} parameters. "
        "T: once per time step."
    )
    console.print(f"\n{_answer(driven)}")
    for edge in driven.reasons[:_EDGES_SHOWN]:
        console.print(f"  {edge}")
    if len(driven.reasons) > _EDGES_SHOWN:
        console.print(f"  and {len(driven.reasons) - _EDGES_SHOWN} more (--json lists all).")
    console.print("\nCertificate")
    for line in (*proof_lines(seal), *_circumstances(seal)):
        console.print(f"  {line}")


def _read(layer: Layer) -> str:
    if layer.feedback:
        return f"{layer.feedback}, a step before"
    shapes = [_sizes(shape) for shape in layer.inputs]
    return f"{shapes[0]} each" if len(shapes) > len(set(shapes)) == 1 else ", ".join(shapes)


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "1"


def _answer(driven: SpikeDriven) -> str:
    currents = len(driven.edges) - len(driven.reasons)
    rest = f"{currents} edges carry currents on their way to neurons."
    if driven:
        return f"Spike-driven: yes. Weights and products meet spikes or counts of spikes; {rest}"
    return f"Spike-driven: no. {len(driven.reasons)} edges carry real values into products; {rest}"


def _circumstances(seal: Seal | None) -> list[str]:
    if seal is None:
        return []
    proof: dict[str, Any] = {
        "input": f"{list(seal.certificate.input_shape)}, SHA-256 {seal.certificate.input_sha256}",
        "graph": f"SHA-256 {seal.graph_sha256}",
        "made with": ", ".join(f"{name} {version}" for name, version in seal.versions.items()),
    }
    return [f"{name:<10} {value}" for name, value in proof.items()]
