"""`spikeport train`: train a model by a recipe."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spikeport.cli import output
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.estimate.numbers import between, hundredths, signed

if TYPE_CHECKING:
    from spikeport.train.loop import FitResult
    from spikeport.train.plan import Plan
    from spikeport.train.recipe import Recipe
    from spikeport.train.state import EpochReport
    from spikeport.train.stopping import Stopped


def run(
    recipe: Annotated[str, typer.Argument(help="A recipe name (spikeport list) or a .yaml file.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="Settings to change, key=value.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results; runs/RECIPE.")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Other data, or where they are: NAME:PATH.")
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(help="A variant of the recipe; several are applied in order."),
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on where an earlier run stopped.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print all settings, sizes, and the time of a step.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    loaders: Annotated[
        int, typer.Option(help="Processes that read data (engine devices).", min=0)
    ] = 0,
    keep: Annotated[
        int, typer.Option(help="Keep the weights of the last N epochs too.", min=0)
    ] = 0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's events too.")
    ] = False,
    qat: Annotated[
        str | None, typer.Option(help="Fine-tune in the fixed point of this target: lava.")
    ] = None,
    bits: Annotated[int, typer.Option(help="With --qat: width of a weight with sign.")] = 8,
    checkpoint: Annotated[
        Path | None,
        typer.Option(help="With --qat: weights to start from; the model's own by default."),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="With --qat: test on N samples, spread evenly.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a model and write a checkpoint with its measured accuracy.

    Several GPUs or nodes: torchrun --no-python --nproc-per-node 8 spikeport train RECIPE ...

    Example: spikeport train digits

    Example: spikeport train digits epochs=5 seed=1 -o runs/short

    Example: spikeport train max_former_cifar10 --data cifar10:PATH --dry-run

    Example: spikeport train digits_qat --qat lava --bits 4
    """
    from spikeport.train.loop import fit
    from spikeport.train.recipe import load_recipe
    from spikeport.train.stopping import Stopped

    if qat is None and (checkpoint is not None or samples is not None):
        raise UsageError(
            "--checkpoint and --samples go with --qat.",
            where="--checkpoint" if checkpoint is not None else "--samples",
            fix="Leave them out: training starts from fresh weights and tests on all samples.",
        )
    told = [*(overrides or []), *([] if data is None else [f"data.spec={json.dumps(data)}"])]
    chosen = load_recipe(recipe, told, variants=variant or [])
    if dry_run:
        _print_plan(chosen, recipe, device, loaders, as_json)
        return
    folder = out or Path("runs") / Path(recipe).stem
    line = None if as_json else _line(chosen)
    try:
        if qat is not None:
            _check_qat(qat, device, keep, tensorboard)
            wanted = _Tuning(bits, checkpoint, samples, resume, loaders)
            _fine_tune(chosen, folder, wanted, line, as_json)
            return
        result = fit(
            chosen,
            folder,
            resume=resume,
            on_epoch=line,
            device=device,
            loaders=loaders,
            keep=keep,
            tensorboard=tensorboard,
        )
    except Stopped as stopped:
        _print_stopped(stopped, as_json)
        return
    if int(os.environ.get("RANK", "0")) == 0:
        _print_result(result, as_json)


@dataclass(frozen=True)
class _Tuning:
    bits: int
    checkpoint: Path | None
    samples: int | None
    resume: bool
    loaders: int


def _check_qat(target: str, device: str, keep: int, tensorboard: bool) -> None:
    if target != "lava":
        raise UnknownNameError("target to fine-tune for", target, ("lava",))
    if device == "cuda" or keep or tensorboard:
        raise UsageError(
            "fine-tuning in fixed point runs on the CPU and keeps no weights of epochs.",
            where="--qat",
            fix="Leave out --device cuda, --keep and --tensorboard.",
        )


def _fine_tune(recipe: Recipe, folder: Path, wanted: _Tuning, on_epoch: Any, as_json: bool) -> None:
    from spikeport.finetune import fine_tune

    found = fine_tune(
        recipe,
        folder,
        bits=wanted.bits,
        checkpoint=wanted.checkpoint,
        samples=wanted.samples,
        resume=wanted.resume,
        loaders=wanted.loaders,
        on_epoch=on_epoch,
    )
    if as_json:
        output.print_json(found.as_json())
        return
    named = [
        ("float network", found.float_network),
        (f"{found.bits}-bit weights, lowered after training (PTQ)", found.ptq),
        (f"{found.bits}-bit weights, fine-tuned in fixed point (QAT)", found.qat),
    ]
    rows = [[name, hundredths(result.top1), between(*result.interval)] for name, result in named]
    title = f"{found.qat.count:,} test samples, looked at once, at the end"
    columns = ["network", "% right", "95 % interval"]
    recovered = signed(found.recovered.difference, *found.recovered.interval)
    console = output.console()
    console.print(output.table(title, columns, rows, right=("% right",)))
    console.print(
        f"QAT minus PTQ on the same samples, points (95 % interval): {recovered}.\n"
        f"{found.provenance}\n"
        f"Tuned graph: {found.graph}; lowered: {found.artefact}"
    )


def _line(recipe: Recipe) -> Any:
    """Prints one line for each epoch."""

    def report(epoch: EpochReport) -> None:
        held = epoch.validation_accuracy
        output.console().print(
            f"epoch {epoch.epoch:3d} of {recipe.passes}   loss {epoch.loss:.4f}   "
            f"{hundredths(epoch.train_accuracy):>5} % right on augmented training data   "
            + ("" if held is None else f"{hundredths(held):>5} % on held-out   ")
            + f"{epoch.seconds:4.0f} s"
        )

    return report


def _print_result(result: FitResult, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "accuracy": result.accuracy,
                "test_samples": result.test_samples,
                "checkpoint": str(result.checkpoint),
                "seconds": result.seconds,
                "cpu_seconds": result.cpu_seconds,
                "epoch": result.epoch,
                "chosen_by": result.chosen_by,
                "validation_samples": result.validation_samples,
            }
        )
        return
    if result.chosen_by == "validation split":
        how = (
            f"the weights of epoch {result.epoch}, chosen by {result.validation_samples:,} samples "
            "held out of training (not by the test data)"
        )
    else:
        how = "the final weights (no epoch was picked by the test data)"
    output.console().print(
        f"{hundredths(result.accuracy)} % of {result.test_samples:,} held-out samples right, with "
        f"{how}, after {result.seconds:.0f} s "
        f"({result.cpu_seconds:.0f} s of CPU time).\nWeights: {result.checkpoint}"
    )


def _print_stopped(stopped: Stopped, as_json: bool) -> None:
    if int(os.environ.get("RANK", "0")):
        return
    if as_json:
        output.print_json({"stopped": {"epoch": stopped.epoch, "step": stopped.step}})
        return
    output.console().print(
        f"Stopped on request in epoch {stopped.epoch} after {stopped.step} steps; all is saved in "
        f"{stopped.state}. Go on with --resume."
    )


def _print_plan(recipe: Recipe, name: str, device: str, loaders: int, as_json: bool) -> None:
    from spikeport.train.plan import STEPS, plan
    from spikeport.train.recipe import recipe_text, recipe_variants

    made = plan(recipe, device=device, loaders=loaders)
    if int(os.environ.get("RANK", "0")):
        return
    if as_json:
        output.print_json(_plan_json(made))
        return
    console = output.console()
    console.print(recipe_text(recipe))
    known = recipe_variants(name)
    rows = [["variants", ", ".join(known)]] if known else []
    rows += [
        ["model", f"{recipe.model}, {made.parameters:,} parameters, {_megabytes(made)} MB"],
        ["training samples", _count(made.train)],
        ["held out for validation", _count(made.validation) if made.train else "-"],
        ["test samples", _count(made.test)],
        ["highest learning rate", f"{recipe.highest_learning_rate:g}"],
        ["timed", _timed(made, STEPS)],
    ]
    if made.batch != recipe.batch_size:
        rows.append(
            [
                f"a step of {recipe.batch_size}",
                f"{made.seconds_per_batch:.3g} s (extrapolated by the number of samples)",
            ]
        )
    if made.hours is not None:
        rows.append(["all epochs at this pace", f"{made.hours:.3g} h, without evaluation"])
    console.print(output.table("Plan", ["", ""], rows))
    if made.missing:
        output.print_note(f"the data are not here: {made.missing}")


def _megabytes(plan: Plan) -> str:
    return f"{plan.parameters * 4 / 1e6:.1f}"


def _count(number: int | None) -> str:
    return "not here" if number is None else f"{number:,}"


def _timed(plan: Plan, steps: int) -> str:
    what = "random numbers of the right shape" if plan.missing else "training data"
    shared = "" if plan.processes == 1 else f", {plan.processes} processes"
    return (
        f"{plan.step_seconds:.3g} s a step: {steps} batches of {plan.batch} ({what}) on "
        f"{plan.device}{shared}"
    )


def _plan_json(plan: Plan) -> dict[str, Any]:
    return {
        "recipe": plan.recipe.model_dump(mode="json"),
        "parameters": plan.parameters,
        "train": plan.train,
        "validation": plan.validation,
        "test": plan.test,
        "missing": plan.missing,
        "device": plan.device,
        "processes": plan.processes,
        "timed_batch": plan.batch,
        "step_seconds": plan.step_seconds,
        "seconds_per_batch": plan.seconds_per_batch,
        "hours": plan.hours,
    }
