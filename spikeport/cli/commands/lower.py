"""`spikeport lower`: to Lava's fixed point."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spikeport.cli import options, output
from spikeport.core.errors import MissingPackageError, UnknownNameError
from spikeport.core.progress import working

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.targets.lava import LavaArtefact
    from spikeport.targets.parity import Parity


def run(
    model: options.Model,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the artefact.")],
    target: Annotated[str, typer.Option(help="Where to; see spikeport list.")] = "lava",
    data: options.Data = "digits",
    checkpoint: options.Checkpoint = None,
    bits: Annotated[int, typer.Option(help="Width of a weight in bits.", min=4, max=16)] = 8,
    prove: Annotated[
        int, typer.Option(help="Recordings to run on Lava's own runtime, spike by spike.", min=0)
    ] = 2,
    steps: options.Steps = None,
    framing: options.Framing = "count",
    as_json: options.Json = False,
) -> None:
    """Lower a network to Lava's fixed-point arithmetic, and prove it on Lava's own runtime.

    Scales are chosen by recordings of the training split.

    Example: spikeport lower max_former_digits --data digits -o lowered
    """
    from spikeport.cli.runs import open_run, spread, stack
    from spikeport.targets.lava import LoweringOptions, lower

    if target != "lava":
        raise UnknownNameError("target to lower to", target, ["lava"])
    opened = open_run(options.RunChoice(model, data, checkpoint, steps=steps, framing=framing))
    with working("Lowering"):
        artefact = lower(
            opened.graph, opened.calibration(), options=LoweringOptions(weight_bits=bits)
        )
    parity = None
    if prove:
        parity = prove_on_lava(artefact, stack(opened.data, spread(len(opened.data), prove)))
        parity.require()
    # Only what was proven is left behind.
    artefact.save(out)
    if as_json:
        output.print_json(
            {
                "folder": str(out),
                "warnings": [row.__dict__ for row in artefact.report.warnings()],
                "parity": None if parity is None else parity.as_json(),
            }
        )
        return
    console = output.console()
    console.print((out / "README.txt").read_text(), end="")
    if parity is not None:
        console.print(
            f"\nLava's runtime and the integer executor agree on all {parity.compared:,} spikes "
            f"of {prove} recordings."
        )
    console.print(f"\nFiles: {out}")


def prove_on_lava(artefact: LavaArtefact, frames: Tensor) -> Parity:
    """Compare Lava's own runtime with the integer executor on frames `[T, B, C, H, W]`."""
    from spikeport.targets.lava import run_on_lava
    from spikeport.targets.parity import compare

    try:
        with working("Running on Lava"):
            on_lava = run_on_lava(artefact.graph, frames)
    except MissingPackageError as error:
        fix = f"{error.fix} Or lower without this proof: --prove 0."
        raise MissingPackageError(error.why, where=error.where, fix=fix) from error
    return compare(artefact.integer(frames, spikes=True), on_lava)
