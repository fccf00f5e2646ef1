"""`spikeport evaluate`: what a network gets right on data, on one or more targets, and what that
costs; or what each width of its weights costs on Lava."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spikeport.cli import options
from spikeport.cli.settings import names_in
from spikeport.core.errors import UsageError


@options.spread
def run(
    chosen: options.EvaluationChoice,
    sharing: options.SharingChoice,
    target: Annotated[
        str,
        typer.Option(
            help="Targets with commas between them (spikeport list), each alone or with a backend: "
            "lava:pump, lava:runtime, onnx:onnxruntime-step."
        ),
    ] = "reference",
    energy: Annotated[
        str | None,
        typer.Option(
            help="Count operations and charge them: energy model (spikeport list) or .toml file of "
            "yours. With --out the default of `spikeport estimate`, with --bits Loihi's."
        ),
    ] = None,
    curve: Annotated[
        bool,
        typer.Option(
            "--curve", help="Also the answers after each step, and early exit; as --steps all."
        ),
    ] = False,
    exits: Annotated[
        str | None,
        typer.Option(
            "--exit",
            help="Confidences at which a sample stops, commas between them; adds --curve.",
        ),
    ] = None,
    timing: Annotated[
        bool, typer.Option("--timing", help="Also time batches and single samples.")
    ] = False,
    bits: Annotated[
        str | None,
        typer.Option(help="For lava: widths of a weight, 4 to 16, with commas between them."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="With --bits: an option of the lowering; may be repeated."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for all tables and figures: adds energy, curve and, without --ray, "
            "timing. With --bits a *.csv or *.json file.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run in the folder --out.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap of energies.")] = 0,
    as_json: options.Json = False,
) -> None:
    """Say how often a network is right, on each target, how far the targets agree, and what that
    costs; or what each width of its weights costs on Lava, and what it still gets right.

    Intervals are at 95 %. Differences are paired: both networks see the same samples.

    Example: spikeport evaluate max_former_digits --data digits --target reference,lava

    Example: spikeport evaluate max_former_digits --target reference,lava --steps all -o results

    Example: spikeport evaluate max_former_digits --target reference,lava --ray auto -o results

    Example: spikeport evaluate max_former_digits --target lava --bits 4,6,8,12 -o bits.csv
    """
    from spikeport.targets.executors import check_name

    names = names_in(target)
    for name in names:
        # A typing error must not cost a run.
        check_name(name)
    if len(set(names)) < len(names):
        raise UsageError(
            "the same target is asked for twice.", where="--target", fix="Name each once."
        )
    asked = curve or chosen.steps == options.ALL_STEPS or exits is not None
    if bits is not None:
        from spikeport.cli.widths import parse_widths, sweep

        if asked or timing or resume or sharing != options.SharingChoice():
            raise UsageError(
                "a sweep over widths does not take these.",
                where="--curve, --steps all, --exit, --timing, --resume, --workers, --ray",
                fix="Leave them out, or leave out --bits.",
            )
        sweep(chosen, names, parse_widths(bits), energy, settings or [], out, as_json)
        return
    from spikeport.cli.evaluation import Asked, run_evaluation

    if settings:
        raise UsageError(
            "only a sweep over widths takes this.",
            where="--set",
            fix="Add --bits 4,6,8 or leave it out.",
        )
    if timing and sharing.ray is not None:
        raise UsageError(
            "times taken while a cluster may be at work are not those of this machine at rest.",
            where="--timing",
            fix="Take times without --ray.",
        )
    told = Asked(energy, asked, exits, timing, out, resume, seed)
    run_evaluation(chosen, names, told, sharing, as_json=as_json)
