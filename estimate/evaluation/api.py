"""Executors on data, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from importlib.metadata import version
from itertools import chain

import numpy as np
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.storage import fingerprint
from spikeport.core.errors import UsageError
from spikeport.core.progress import track
from spikeport.estimate.energy.load import Choice, energy_model
from spikeport.estimate.evaluation.curve import StepRow, curve
from spikeport.estimate.evaluation.early_exit import (
    CONFIDENCES,
    Answered,
    ExitRow,
    checked_confidences,
    early_exit,
)
from spikeport.estimate.evaluation.records import Records
from spikeport.estimate.evaluation.result import Evaluation, TargetResult
from spikeport.estimate.evaluation.session import Batch, Evaluating, Session, Wanted
from spikeport.estimate.evaluation.timing import measure
from spikeport.estimate.progress import Kept, Progress
from spikeport.estimate.report import DataInfo, EnergyReport
from spikeport.estimate.sharing import Sharing, worked
from spikeport.estimate.table import Interval


def evaluate(
    executors: Mapping[str, Executor],
    batches: Iterable[Batch],
    *,
    energy: Choice | None = None,
    curve: bool = False,
    exits: Sequence[float] | None = None,
    timing: bool = False,
    data: DataInfo | None = None,
    class_names: Sequence[str] = (),
    seed: int = 0,
    workers: int | Sharing = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Run the same batches on each executor, and say what it gets right and what that costs.

    Batches are read once, of a sequence the first one twice, and of a sample only its answers are
    kept.

    Args:
        executors: by the name that results are to have; tables compare with the first.
        batches: (frames `[T, B, *shape]`, labels `[B]`), and names of the samples. A sequence is
            not read again where an earlier run has been.
        energy: energy model by name, by file, or itself; nothing is counted if not given.
        curve: also tell the accuracy (and energy) of a network that stops after each step.
        exits: confidences at which single samples stop; asks for the curve, too. With the curve
            alone, those of `CONFIDENCES`.
        timing: also time passes of one batch and of single samples, in this process, when all
            batches are done.
        data: what the samples are.
        class_names: by number.
        seed: of the bootstrap of energies.
        workers: processes that share the batches, or what shares them out (a cluster); batches
            are a sequence then. Nothing but rounding depends on it: workers have one torch thread,
            and sums of floats may be in another order on several.
        progress: file to go on from after a kill.

    Raises:
        UsageError: there is no executor or sample, frames, labels and scores do not fit, the work
            cannot be shared out, or times are asked for while a cluster may be at work.
        UnknownNameError: no energy model has this name.
        UnsupportedError: the curve is asked for, and a network has no answer after fewer steps.
        FileError: a file cannot be read or written.
    """
    if not executors:
        raise UsageError("there is nothing to evaluate.", where="executors", fix="Give one.")
    if timing and not isinstance(workers, int):
        raise UsageError(
            "times taken while a cluster may be at work are not those of this machine at rest.",
            where="timing",
            fix="Take times without a cluster.",
        )
    thresholds = checked_confidences(CONFIDENCES if exits is None else exits)
    wanted = Wanted(
        None if energy is None else energy_model(energy), curve or exits is not None, seed
    )
    sessions = {name: Session(executor, wanted) for name, executor in executors.items()}
    samples = Records()
    batches, first = _peeked(batches)
    _run(sessions, samples, batches, wanted, workers, progress)
    if first is None or not len(samples):
        raise UsageError("there is no sample to evaluate.", where="batches")
    return Evaluation(
        targets={
            name: _result(session, first if timing else None, thresholds, seed)
            for name, session in sessions.items()
        },
        samples=tuple(samples.joined()["names"].tolist()),
        steps=_steps(sessions, first),
        data=data or DataInfo(),
        class_names=tuple(class_names),
        seed=seed,
    )


def _run(
    sessions: Mapping[str, Session],
    samples: Records,
    batches: Iterable[Batch],
    wanted: Wanted,
    workers: int | Sharing,
    progress: Progress | None,
) -> None:
    """All batches that an earlier run has not finished."""
    kept: dict[str, Kept] = {"samples": samples}
    for name, session in sessions.items():
        kept |= {f"{name}/{part}": each for part, each in session.kept.items()}
    done: set[int] = set()
    if progress is not None:
        done |= progress.restore(kept, _settings(sessions, wanted))
    work = Evaluating({name: session.running for name, session in sessions.items()})
    results = worked(work, batches, frozenset(done), workers)
    total = len(batches) - len(done) if isinstance(batches, Sized) else None
    for index, (names, found) in track(results, "Evaluating", total):
        for name, session in sessions.items():
            session.add(index, found[name])
        samples.add(index, {"names": np.array(names, dtype=np.str_)})
        done.add(index)
        if progress is not None and progress.due():
            progress.write(kept, done)
    if progress is not None:
        progress.write(kept, done)


def _peeked(batches: Iterable[Batch]) -> tuple[Iterable[Batch], Tensor | None]:
    """The batches, and the frames of the first one; None if there is none."""
    if isinstance(batches, Sequence):
        return batches, batches[0][0] if len(batches) else None
    rest = iter(batches)
    head = next(rest, None)
    return (rest, None) if head is None else (chain([head], rest), head[0])


def _settings(sessions: Mapping[str, Session], wanted: Wanted) -> dict[str, object]:
    """What must be the same to go on with an interrupted run."""
    settings: dict[str, object] = {
        "targets": ", ".join(sessions),
        "energy model": None if wanted.energy is None else wanted.energy.model_dump_json(),
        "curve": wanted.curve,
        "seed": wanted.seed,
        "spikeport": version("spikeport"),
    }
    for name, session in sessions.items():
        executor = session.executor
        settings[f"graph of {name}"] = fingerprint(executor.graph)
        settings[f"precision of {name}"] = getattr(executor, "dtype", type(executor).__name__)
    return settings


def _steps(sessions: Mapping[str, Session], frames: Tensor) -> int | None:
    entry = next(iter(sessions.values())).executor.graph.input
    return len(frames) if entry.per_step else None


def _result(
    session: Session, frames: Tensor | None, exits: tuple[float, ...], seed: int
) -> TargetResult:
    executor = session.executor
    energy = None
    if session.tally is not None and session.energies is not None:
        energy = EnergyReport(session.tally, session.energies, interval=Interval(seed=seed))
    rows, stops = _over_steps(session, exits)
    return TargetResult(
        answers=session.accuracy.result(),
        graph=executor.graph,
        energy=energy,
        curve=rows,
        exits=stops,
        timing=None if frames is None else measure(executor, frames),
        latency_steps=getattr(executor, "latency", 0),
        late=session.late,
    )


def _over_steps(
    session: Session, exits: tuple[float, ...]
) -> tuple[tuple[StepRow, ...], tuple[ExitRow, ...]]:
    if session.read_out is None:
        return (), ()
    found = session.steps.joined()
    labels = session.accuracy.records.joined()["labels"]
    answered = Answered(found["predictions"], found["confidences"], labels, found.get("picojoule"))
    known = None if session.late else session.energies
    return curve(found["predictions"], labels, known), early_exit(answered, exits)
