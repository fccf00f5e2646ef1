"""`spikeport simulate`: run a lowered network on one of its backends, spike by spike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikeport.cli import options, output
from spikeport.core.errors import CheckFailed, UsageError
from spikeport.core.progress import working
from spikeport.estimate.numbers import hundredths

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.targets.lowered import Lowered, Run
    from spikeport.targets.parity import Parity


def run(
    folder: Annotated[Path, typer.Argument(help="A folder of `spikeport lower`.")],
    backend: Annotated[
        str | None,
        typer.Option(help="What runs it; of Lava: integer, pump, runtime. The first by default."),
    ] = None,
    data: options.Data = "digits",
    split: options.Split = "test",
    samples: Annotated[
        int, typer.Option(help="Run N samples, spread evenly over the split.", min=1)
    ] = 2,
    steps: Annotated[
        int | None, typer.Option(help="Time steps T; those it was lowered with by default.", min=1)
    ] = None,
    framing: options.Framing = "count",
    skip_bad: options.SkipBad = False,
    as_json: options.Json = False,
) -> None:
    """Run a lowered network on data, and compare every spike with another way to compute it.

    Lava's backends are compared with the integer executor, and that one with itself where it checks
    every value on the way for overflow. Exit code 1 if more differs than the target allows.

    Example: spikeport simulate lowered --backend runtime --data digits --samples 2
    """
    from spikeport.targets import load
    from spikeport.targets.artefact import read_manifest

    manifest = read_manifest(folder)
    lowered = load(folder, manifest.target)
    steps = steps or manifest.time_steps or 1
    frames, labels, provenance = _recordings(
        lowered, data, split, samples, steps, framing, skip_bad=skip_bad
    )
    expected, ran, parity = _compared(lowered, backend, frames)
    right = _right(ran, labels)
    if as_json:
        told = {
            "folder": str(folder),
            "target": lowered.target,
            "backend": ran.backend,
            "data": provenance,
            "samples": len(labels),
            "steps": int(frames.shape[0]),
            "latency": lowered.latency,
            "seconds": ran.seconds,
            "right": right,
            "parity": parity.as_json(),
        }
        output.print_json(told)
    else:
        _print(_Told(folder, lowered, frames, ran, parity, right, provenance))
    _require_within(lowered, expected, ran, parity)
    if len(parity.silent) == len(parity.layers):
        raise CheckFailed(
            "no neuron fired, so that equal spikes prove nothing.",
            where=str(folder),
            fix="Give data that make the network fire.",
        )


def _recordings(
    lowered: Lowered,
    data: str,
    split: str,
    samples: int,
    steps: int,
    framing: str,
    *,
    skip_bad: bool,
) -> tuple[Tensor, Tensor, str]:
    """Frames `[T, B, *shape]`, labels `[B]` and where they come from."""
    import torch

    from spikeport.runs import spread, stack
    from spikeport.sources import open_frames

    entry = lowered.graph.input
    if not entry.per_step:
        raise UsageError(
            "this network reads one image per sample; frames of events are no input for it.",
            where=str(entry.name),
            fix="Run it from Python: lowered.run(images).",
        )
    opened = open_frames(data, split, steps, framing, skip_bad=skip_bad)
    if samples > len(opened):
        raise UsageError(
            f"{samples} samples were asked for, {data} has {len(opened)} in split {split}.",
            where="--samples",
            fix="Ask for fewer.",
        )
    if opened.frame_shape[1:] != entry.shape:
        raise UsageError(
            f"the network reads {list(entry.shape)}, the frames of {data} are "
            f"{list(opened.frame_shape[1:])}.",
            where="--data",
            fix="Use data of that size, or lower the network for this one.",
        )
    chosen = spread(len(opened), samples)
    return stack(opened, chosen), torch.from_numpy(opened.labels[chosen]), opened.provenance


def _compared(lowered: Lowered, backend: str | None, frames: Tensor) -> tuple[Run, Run, Parity]:
    """What was expected, what was found, and how they compare."""
    from spikeport.targets.lowered import chosen_backend
    from spikeport.targets.parity import compare

    name = chosen_backend(lowered, backend)
    with working(f"Running on {name}"):
        ran = lowered.run(frames, backend=name, spikes=True)
    with working("Comparing"):
        expected = _expected(lowered, name, frames)
        return expected, ran, compare(expected, ran)


def _require_within(lowered: Lowered, expected: Run, ran: Run, parity: Parity) -> None:
    """As `spikeport verify` has it: where spikes may differ, samples in which none does are held to
    their outputs all the same."""
    from spikeport.targets.parity import output_gap

    allowed = lowered.tolerance
    if parity.different > allowed.spikes * parity.compared:
        parity.require()
    per_step = lowered.graph[lowered.graph.outputs[0]].per_step
    gap = output_gap(expected, ran, per_step=per_step)
    if not gap <= allowed.outputs:  # NaN is no agreement
        raise CheckFailed(
            f"outputs of {expected.backend} and {ran.backend} differ by {gap:.3g} in samples whose "
            f"spikes are all equal; {allowed.outputs:.3g} is allowed.",
            where="outputs",
            fix="Look at what follows the last neuron.",
        )


def _expected(lowered: Lowered, backend: str, frames: Tensor) -> Run:
    """What a backend is compared with: the target's first one, or another where it is that."""
    from spikeport.targets.lava import LavaArtefact
    from spikeport.targets.lowered import run_executor

    if backend != lowered.backends[0]:
        return lowered.run(frames, spikes=True)
    if isinstance(lowered, LavaArtefact):
        checking = lowered.executor(check_values=True)
        return run_executor(checking, frames, f"{backend} with all values checked")
    if len(lowered.backends) == 1:
        raise UsageError(
            f"{backend} is the only backend: there is nothing to compare it with.",
            where=lowered.target,
            fix="Run it from Python: lowered.run(frames). `spikeport verify` compares it with its "
            "golden run.",
        )
    return lowered.run(frames, backend=lowered.backends[1], spikes=True)


def _right(ran: Run, labels: Tensor) -> int | None:
    """How many samples are in the class of their label; None if outputs are no scores."""
    if ran.outputs.ndim != 2 or len(ran.outputs) != len(labels):
        return None
    return int((ran.outputs.argmax(1).cpu() == labels).sum())


@dataclass(frozen=True)
class _Told:
    folder: Path
    lowered: Lowered
    frames: Tensor
    ran: Run
    parity: Parity
    right: int | None
    provenance: str


def _print(told: _Told) -> None:
    console, parity, lowered = output.console(), told.parity, told.lowered
    rows = [
        [layer.layer, f"{layer.compared:,}", hundredths(layer.rate), f"{layer.different:,}"]
        for layer in parity.layers
    ]
    columns = ["layer", "compared", "firing %", "different"]
    title = f"{told.folder} ({lowered.target}) on {told.ran.backend}, against {parity.left}"
    console.print(output.table(title, columns, rows, right=tuple(columns[1:])))
    steps, samples = told.frames.shape[:2]
    console.print(
        f"\n{parity.compared - parity.different:,} of {parity.compared:,} spikes equal; "
        f"{samples} samples of {steps} steps in {told.ran.seconds:.2f} s. Spikes of the last layer "
        f"lag {lowered.latency} steps behind on the target."
    )
    if told.right is not None:
        console.print(f"Right class: {told.right} of {samples}. Data: {told.provenance}.")
    for name in parity.unproven:
        console.print(f"Note: {name} never fired or always did, so equality says little there.")
