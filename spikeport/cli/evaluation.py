"""Targets on data: what `spikeport evaluate` runs, and the tables that it prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spikeport.cli import options, output
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.estimate.numbers import between, hundredths, signed

if TYPE_CHECKING:
    from rich.table import Table

    from spikeport.convert import Executor
    from spikeport.estimate import Evaluation, Progress
    from spikeport.estimate.evaluation.timing import Timing
    from spikeport.runs import Run, RunBatches

PROGRESS = "progress.npz"
"""In the folder of the results while a run is not finished."""


@dataclass(frozen=True)
class Asked:
    """What is to be found out beside accuracy.

    Attributes:
        energy: energy model; None: none, or the default one where files are written.
        curve: whether the answers after each step were asked for by name.
        exits: confidences to exit at, as text.
        timing: whether times were asked for by name.
        out: folder to write to.
        resume: go on with what an interrupted run left there.
        seed: of the bootstrap.
    """

    energy: str | None
    curve: bool
    exits: str | None
    timing: bool
    out: Path | None
    resume: bool
    seed: int


def run_evaluation(
    chosen: options.RunChoice,
    names: list[str],
    asked: Asked,
    sharing: options.SharingChoice,
    *,
    as_json: bool,
) -> None:
    """Run it, write it, print it."""
    from spikeport.cluster import shared_out
    from spikeport.estimate import DataInfo, energy_model, evaluate
    from spikeport.estimate.energy import DEFAULT_ENERGY_MODEL
    from spikeport.runs import command_line

    priced = asked.energy or (None if asked.out is None else DEFAULT_ENERGY_MODEL)
    charged = None if priced is None else energy_model(priced)
    exits = None if asked.exits is None else parse_confidences(asked.exits)
    if asked.out is not None and asked.out.suffix in (".json", ".csv"):
        raise UsageError(
            f"{asked.out.name} is to hold several tables and figures.",
            where="--out",
            fix="Name a folder; it will hold evaluation.json. --json prints the same.",
        )
    if asked.resume and asked.out is None:
        raise UsageError(
            "there is no folder to go on from.", where="--resume", fix="Name one by --out."
        )
    executors, opened = open_targets(chosen, names)
    batches = opened.shared_out()
    digest = "" if asked.out is None else batches.digest()
    progress = None if asked.out is None else _progress(asked, chosen, opened, batches, digest)
    curve = asked.curve or _curve_comes_with_files(asked, executors)
    timing = asked.timing or _times_come_with_files(asked, sharing)
    with shared_out(sharing.workers, sharing.ray) as workers:
        found = evaluate(
            executors,
            batches,
            energy=charged,
            curve=curve,
            exits=exits,
            timing=timing,
            data=DataInfo(chosen.data, chosen.split, opened.data.provenance, digest),
            class_names=opened.data.classes,
            seed=asked.seed,
            workers=workers,
            progress=progress,
        )
    files = []
    if asked.out is not None:
        made_by = {"model": chosen.model, "command": command_line()}
        files = replace(found, made_by=made_by).save(asked.out)
    if progress is not None:
        progress.remove()
    if as_json:
        output.print_json({"model": chosen.model, **found.as_json()})
        return
    show(f"{chosen.model} on {opened.data.name}", found)
    if files:
        output.console().print(f"\nFiles: {', '.join(path.name for path in files)}.")


def parse_confidences(text: str) -> list[float]:
    """`0.8,0.95` as numbers.

    Raises:
        UsageError: not a list of numbers above 0 and at most 1.
    """
    from spikeport.estimate.evaluation.early_exit import checked_confidences

    try:
        return list(checked_confidences([float(part) for part in text.split(",")]))
    except ValueError:
        raise UsageError(
            f"{text!r} is no list of confidences.", where="--exit", fix="Write --exit 0.8,0.95."
        ) from None


def open_targets(chosen: options.RunChoice, names: list[str]) -> tuple[dict[str, Executor], Run]:
    """The executors by name, and the data."""
    # Registers how what Lava adds is counted.
    import spikeport.lava_counting  # noqa: F401
    from spikeport.core.progress import track
    from spikeport.runs import open_run
    from spikeport.targets.executors import executor_of

    opened = open_run(chosen)
    steps = opened.data.frame_shape[0]
    return {
        name: executor_of(name, opened.graph, opened.calibration, steps)
        for name in track(names, "Preparing targets")
    }, opened


def _curve_comes_with_files(asked: Asked, executors: dict[str, Executor]) -> bool:
    """Whether the files of an evaluation can hold a curve that nobody asked for by name."""
    from spikeport.estimate.evaluation import ReadOut

    if asked.out is None:
        return False
    try:
        for executor in executors.values():
            ReadOut.of(executor.graph)
    except UnsupportedError as error:
        output.print_note(f"no curve over steps is written. {error}")
        return False
    return True


def _times_come_with_files(asked: Asked, sharing: options.SharingChoice) -> bool:
    """Whether the files of an evaluation can hold times that nobody asked for by name."""
    if asked.out is not None and sharing.ray is not None:
        output.print_note("no times are taken beside a cluster; leave out --ray for them.")
    return asked.out is not None and sharing.ray is None


def _progress(
    asked: Asked, chosen: options.RunChoice, opened: Run, batches: RunBatches, digest: str
) -> Progress:
    from spikeport.estimate import Progress
    from spikeport.runs import BATCH

    assert asked.out is not None
    settings = {
        **{"data": opened.data.name, "split": chosen.split, "samples": opened.samples},
        **{"framing": opened.framing, "batch size": BATCH, "frames": digest},
    }
    return Progress(asked.out / PROGRESS, resume=asked.resume, settings=settings)


def show(title: str, found: Evaluation) -> None:
    """Print the tables that the evaluation has."""
    console = output.console()
    console.print(_answers(title, found))
    for table in (_pairs(found), _cost(found), _curve(found), _exits(found)):
        if table is not None:
            console.print()
            console.print(table)
    console.print()
    for name, result in found.targets.items():
        if result.timing is not None:
            console.print(_times(name, result.timing))
    console.print(_LEGEND)
    for name, result in found.targets.items():
        for node in result.uncounted:
            console.print(f"  {name}: {node} is not counted: energies lack it.")
        for node in result.late if result.curve else ():
            console.print(f"  {name}: the energy of fewer steps is not known, because of {node}.")
    console.print(f"Data: {found.data.provenance}.")


_LEGEND = (
    "95 %: Wilson's interval of an accuracy; of a difference that for pairs. same: equal answers. "
    "p: McNemar's exact test. ECE: expected calibration error, 15 bins of equal width."
)


def _answers(title: str, found: Evaluation) -> Table:
    rows = [
        [
            name,
            hundredths(result.answers.top1),
            between(*result.answers.interval),
            f"{result.answers.correct} of {result.answers.count}",
            hundredths(result.answers.top(5).value),
            hundredths(result.calibration.error),
            f"T + {result.latency_steps}" if result.latency_steps else "T",
        ]
        for name, result in found.targets.items()
    ]
    columns = ["target", "accuracy %", "95 %", "right", "top-5 %", "ECE %", "steps"]
    return output.table(title, columns, rows)


def _pairs(found: Evaluation) -> Table | None:
    rows = [
        [
            pair.first,
            pair.second,
            hundredths(pair.same.value),
            signed(pair.change.difference, *pair.change.interval),
            f"{pair.change.p_value:.2g}",
        ]
        for pair in found.agreements
    ]
    title = "Targets in pairs"
    columns = ["first", "second", "same %", "difference, points", "p"]
    return output.table(title, columns, rows) if rows else None


def _cost(found: Evaluation) -> Table | None:
    rows, models = [], set()
    for name, result in found.targets.items():
        if result.energy is None or result.sop is None or result.energy_uj is None:
            continue
        models.add(result.energy.model.id)
        spent = result.energy_uj
        ends = "-" if spent.low is None else f"{spent.low:.4g} to {spent.high:.4g}"
        static = result.static_uj
        rows.append(
            [
                name,
                f"{result.sop.mean:,.0f}",
                f"{spent.mean:.4g}",
                ends,
                "-" if static is None else f"{static:.4g}",
            ]
        )
    title = f"Per sample, by {', '.join(sorted(models))}; static power apart"
    columns = ["target", "SOP", "uJ", "95 %", "static uJ"]
    return output.table(title, columns, rows, right=("SOP", "uJ")) if rows else None


def _curve(found: Evaluation) -> Table | None:
    rows = [
        [
            name,
            str(row.steps),
            hundredths(row.right.value),
            between(*row.right.interval),
            "-" if row.sop is None else f"{row.sop:,.0f}",
            "-" if row.energy_uj is None else f"{row.energy_uj:.4g}",
        ]
        for name, result in found.targets.items()
        for row in result.curve
    ]
    columns = ["target", "steps", "accuracy %", "95 %", "SOP", "uJ"]
    title = "Stopped after some of the steps"
    return output.table(title, columns, rows, right=("steps", "SOP", "uJ")) if rows else None


def _exits(found: Evaluation) -> Table | None:
    rows = [
        [
            name,
            f"{row.confidence:g}",
            f"{row.steps:.2f}",
            hundredths(row.right.value),
            signed(row.change.difference, *row.change.interval),
            "-" if row.energy_uj is None else f"{row.energy_uj:.4g}",
            hundredths(row.saved),
        ]
        for name, result in found.targets.items()
        for row in result.exits
    ]
    saved = any(row.energy_uj is not None for r in found.targets.values() for row in r.exits)
    columns = ["target", "confidence", "mean steps", "accuracy %", "minus all steps, points"]
    columns += ["uJ", "energy saved %" if saved else "steps saved %"]
    return output.table("Each sample stopped at a confidence", columns, rows) if rows else None


def _times(name: str, timing: Timing) -> str:
    events = timing.events_per_second
    many = "" if events is None else f", {events:,.0f} events/s"
    return (
        f"{name}: {timing.samples_per_second:,.0f} samples/s{many} in a batch of {timing.batch} "
        f"({timing.passes} passes, median); one sample alone {1000 * timing.p50:.3g} ms (median), "
        f"{1000 * timing.p95:.3g} ms (95th percentile) over {timing.alone} passes."
    )
