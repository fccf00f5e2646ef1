"""`spikeport lower`: to a target, proven there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from spikeport.cli import options, output
from spikeport.cli.options import InputChoice
from spikeport.cli.resources import resource_table, resources
from spikeport.cli.settings import parse_settings
from spikeport.core.errors import CheckFailed, UnknownNameError, UsageError
from spikeport.core.progress import working
from spikeport.estimate.numbers import MISSING, hundredths

if TYPE_CHECKING:
    from rich.table import Table
    from torch import Tensor

    from spikeport.convert import Graph
    from spikeport.targets.fidelity import FidelityReport
    from spikeport.targets.lowered import Lowered, Run


_LEGEND = (
    "graph: the float network, float64. alone %: equal spikes of the worst layer where each layer "
    "reads the spikes of the stage before, so that errors do not add up. rate error %: of the "
    "layer that is furthest off. outputs: largest difference."
)


@options.spread
def run(
    model: options.Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the artefact.")],
    given: InputChoice,
    target: Annotated[str, typer.Option(help="Where to; see spikeport list.")] = "lava",
    data: Annotated[
        str | None,
        typer.Option(help="Data by NAME[:PATH] to choose scales by and to prove with."),
    ] = None,
    checkpoint: options.Checkpoint = None,
    bits: Annotated[
        int | None, typer.Option(help="Width of a weight in bits, for lava.", min=4, max=16)
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="An option of the target, NAME=VALUE; may be repeated."),
    ] = None,
    samples: Annotated[
        int,
        typer.Option("--prove", help="Samples to run on every backend, spike by spike.", min=1),
    ] = 2,
    framing: options.Framing = "count",
    skip_bad: options.SkipBad = False,
    as_json: options.Json = False,
) -> None:
    """Lower a network to a target, prove it on every backend that is installed, and write it with
    its golden run, so that `spikeport verify FOLDER` can prove it again anywhere.

    Lava needs data: scales are chosen by recordings of the training split. Without data other
    targets are proven on random input.

    Example: spikeport lower max_former_digits --data digits -o lowered

    Example: spikeport lower max_former_cifar --untrained --target onnx -o lowered
    """
    from spikeport.targets import TARGETS, lower, lowering_targets
    from spikeport.targets.artefact import write_artefact

    if TARGETS[target].lower is None:
        raise UnknownNameError("target to lower to", target, lowering_targets())
    chosen = parse_settings(settings or [])
    if bits is not None:
        chosen["weight_bits"] = bits
    subject = _open(model, data, checkpoint, given, framing, samples, skip_bad=skip_bad)
    if TARGETS[target].calibrated and subject.calibration is not None:
        chosen["calibration"] = subject.calibration
    with working("Lowering"):
        lowered = lower(subject.graph, target, **chosen)
    with working("Running"):
        golden = lowered.run(subject.frames, spikes=True)
    report = prove(subject.graph, lowered, subject.frames, golden)
    # Only what was proven is left behind.
    needed = resources(lowered)
    notes = {} if needed is None else {"resources": needed}
    manifest = write_artefact(lowered, subject.frames, out, report, golden, notes)
    if as_json:
        warnings = [str(each) for each in lowered.report.warnings()]
        told = {"folder": str(out), "warnings": warnings, "resources": needed}
        output.print_json(told | {"samples_of": subject.provenance} | report.as_json())
        return
    console = output.console()
    console.print((out / "README.txt").read_text())
    if any("='" in str(each) for each in lowered.report.warnings()):
        console.print("Options that warnings name are set here by --set, as --set NAME=VALUE.\n")
    if needed is not None:
        console.print(resource_table(needed))
        console.print()
    console.print(summary_table(report))
    console.print(f"\nSamples: {subject.provenance}\n{_LEGEND}\n")
    for stage in report.stages:
        if stage.first and not stage.exact:
            console.print(f"  {stage.left} -> {stage.right}: first difference in {stage.first}.")
        for layer, runs_in in stage.uncompared.items():
            console.print(f"  {layer} runs in {runs_in} only, so nothing was compared there.")
    for name, why in report.skipped.items():
        console.print(f"  {name}: not run. {why}")
    for name in manifest.golden.silent:
        console.print(f"  {name} never fired, so equality says little there.")
    console.print(
        f"\nFiles: {out}, each layer and step in parity.csv and parity.svg.\n"
        f"Prove it again with `spikeport verify {out}`."
    )


def prove(
    graph: Graph, lowered: Lowered, frames: Tensor, golden: Run | None = None
) -> FidelityReport:
    """Run every backend that is installed and compare each stage with the one before.

    Args:
        golden: what the first backend emits on these frames, spikes included, if that is known.

    Raises:
        CheckFailed: spikes, outputs or layers differ where none may, or nothing fired.
    """
    from spikeport.targets.fidelity import fidelity

    with working(f"Proving on {', '.join(lowered.backends)}"):
        report = fidelity(graph, lowered, frames, golden=golden)
    for stage in report.stages:
        if not stage.ok:
            raise CheckFailed(
                stage.problems[0],
                where=lowered.target,
                fix="Please report this graph: the target does not compute what was lowered.",
            )
    if not any(layer.rate for stage in report.stages for layer in stage.layers):
        raise CheckFailed(
            "no neuron fired on the samples, so equal spikes would prove nothing.",
            where=lowered.target,
            fix="Give data that make the network fire (--data), or more samples (--prove).",
        )
    return report


def summary_table(report: FidelityReport) -> Table:
    """One row per pair of stages."""
    rows = []
    for stage in report.stages:
        alone = [layer.alone for layer in stage.layers if layer.alone is not None]
        worst = max((abs(layer.rate_error or 0.0) for layer in stage.layers), default=0.0)
        rows.append(
            [
                f"{stage.left} -> {stage.right}",
                f"{stage.compared:,}",
                f"{stage.different:,}",
                hundredths(min(alone)) if alone else MISSING,
                hundredths(worst),
                f"{stage.output_difference:.2g}",
                MISSING if stage.same_answer is None else hundredths(stage.same_answer),
            ]
        )
    title = f"Parity on {report.samples} samples, T = {report.steps}"
    columns = ["stages", "spikes", "differ", "alone %", "rate error %", "outputs", "same answer %"]
    return output.table(title, columns, rows, right=tuple(columns[1:]))


class _Subject(NamedTuple):
    graph: Graph
    frames: Tensor
    provenance: str
    """Where the frames come from."""
    calibration: Tensor | None


def _open(
    model: str,
    data: str | None,
    checkpoint: Path | None,
    given: InputChoice,
    framing: str,
    samples: int,
    *,
    skip_bad: bool,
) -> _Subject:
    from spikeport.cli.sources import graph_or_trace, sample_like
    from spikeport.runs import open_run, spread, stack

    if data is None:
        if skip_bad:
            raise UsageError(
                "without data no recording is bad.",
                where="--skip-bad",
                fix="Leave it out, or give --data.",
            )
        graph = graph_or_trace(model, checkpoint, given)
        entry = graph.input
        steps = (given.steps or _stored_steps(graph),) if entry.per_step else ()
        frames = sample_like((*steps, samples, *entry.shape), entry.domain)
        return _Subject(graph, frames, "random input", None)
    if given != InputChoice(steps=given.steps):
        raise UsageError(
            "data tell what the input is.",
            where="--data",
            fix="Leave out what describes the input, or --data.",
        )
    choice = options.RunChoice(
        model, data, checkpoint, steps=given.steps, framing=framing, skip_bad=skip_bad
    )
    opened = open_run(choice)
    frames = stack(opened.data, spread(len(opened.data), samples))
    return _Subject(opened.graph, frames, opened.data.provenance, opened.calibration())


def _stored_steps(graph: Graph) -> int:
    """T of the input that a graph was proven on."""
    from spikeport.convert import read_seal

    seal = read_seal(graph)
    time_axis = graph.metadata.get("time_axis")
    if seal is None or time_axis is None:
        raise UsageError(
            "the number of time steps is not known.", where="--steps", fix="Give --steps T."
        )
    return int(seal.certificate.input_shape[time_axis])
