"""One pass over the data: tally, accuracy and energy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from spikeport.convert.executor import Executor
from spikeport.convert.storage import fingerprint
from spikeport.core.errors import UsageError
from spikeport.core.progress import track
from spikeport.estimate.capacity import Chip, fit_chips
from spikeport.estimate.counting import Batch, Counting
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.load import DEFAULT_ENERGY_MODEL, Choice, energy_model
from spikeport.estimate.energy.pricing import StaticImage
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.evaluation.answers import Accuracy
from spikeport.estimate.paper import paper_mode
from spikeport.estimate.progress import Kept, Progress
from spikeport.estimate.report import DataInfo, EnergyReport
from spikeport.estimate.sharing import Sharing, worked
from spikeport.estimate.stats import INTERVALS, Method
from spikeport.estimate.table import Interval
from spikeport.estimate.tally.counter import Counter
from spikeport.estimate.tally.rows import SampleFile, sample_rows
from spikeport.estimate.tally.tally import Tally


def estimate(
    executor: Executor,
    batches: Iterable[Batch],
    energy: Choice | Sequence[Choice] = DEFAULT_ENERGY_MODEL,
    *,
    data: DataInfo | None = None,
    papers: Sequence[str] = ("max-former",),
    chips: Sequence[str | os.PathLike[str] | Chip] = (),
    static_image: StaticImage = "executed",
    interval: Method = "bootstrap",
    seed: int = 0,
    workers: int | Sharing = 1,
    progress: Progress | None = None,
    per_sample: SampleFile | None = None,
) -> EnergyReport:
    """Run all batches once; count them, judge them, and charge them.

    Args:
        executor: runs the graph.
        batches: (frames `[T, B, *shape]` as the executor takes them, labels `[B]` or None), and
            names of the samples if the bootstrap is to be the same for any order and batch size.
        energy: name of a shipped energy model, or a path to a `.toml` file, or a model; or several
            of them: tables are by the first, the others are shown beside it.
        data: what the samples are; shown in the report.
        papers: published conventions to show beside the exact count, each `NAME` or
            `NAME:SWITCH=VALUE`.
        chips: names or `.toml` files of chips to compare the network's needs with.
        static_image: whether layers that see one image at each step are charged T times
            ("executed") or once ("hoisted").
        interval: how 95 % intervals are found.
        seed: of the bootstrap.
        workers: processes that share the batches, or what shares them out (a cluster); batches
            are a sequence then. Counts do not depend on it as long as rounding does not: run in
            float64 to be sure.
        progress: file to go on from after a kill.
        per_sample: takes the counts of each sample.

    Raises:
        UnknownNameError: no energy model, chip, paper mode or interval method has this name.
        FileError: the file of an energy model or chip is refused.
        UsageError: an energy model is given twice, there is no sample, or frames or labels do not
            fit the network.
    """
    # Names are looked up first: a typing error must not cost a run.
    models = _models(energy)
    modes = [paper_mode(text) for text in papers]
    INTERVALS[interval]
    capacity = fit_chips(executor.graph, chips) if chips else None
    tally, judged = Tally(executor.graph, seed=seed), Accuracy()
    energies = [Energies(tally, model, static_image) for model in models]
    batches_done = _count(tally, judged, executor, batches, workers, progress, per_sample)
    if not tally.samples:
        raise UsageError(
            "there is no sample to count.", where="batches", fix="Give at least one batch."
        )
    report = EnergyReport(
        tally=tally,
        energies=energies[0],
        data=data or DataInfo(),
        interval=Interval(interval, seed),
        papers=tuple(mode(tally) for mode in modes),
        accuracy=judged.result() if len(judged.records) else None,
        others=tuple(energies[1:]),
        capacity=capacity,
    )
    if per_sample is not None:
        per_sample.finish(batches_done, report.origin)
    return report


def _count(
    tally: Tally,
    judged: Accuracy,
    executor: Executor,
    batches: Iterable[Batch],
    workers: int | Sharing,
    progress: Progress | None,
    per_sample: SampleFile | None,
) -> int:
    """Add all batches that an earlier run has not finished; how many there are."""
    done: set[int] = set()
    kept: dict[str, Kept] = {"tally": tally, "judged": judged}
    if progress is not None:
        own = {
            "graph": fingerprint(executor.graph),
            "precision": getattr(executor, "dtype", type(executor).__name__),
            "seed": tally.seed,
            "per-sample file": per_sample is not None,
            "spikeport": version("spikeport"),
        }
        done |= progress.restore(kept, own)
    work = Counting(executor, Counter(tally))
    results = worked(work, batches, frozenset(done), workers)
    if isinstance(batches, Sequence):
        results = track(results, "Counting", len(batches) - len(done))
    for index, result in results:
        tally.add(result.counted)
        if result.judged is not None:
            judged.put(index, result.judged)
        if per_sample is not None:
            per_sample.add(index, sample_rows(tally, result.counted.per_sample))
        done.add(index)
        if progress is not None and progress.due():
            progress.write(kept, done)
    if progress is not None:
        progress.write(kept, done)
    return len(done)


def _models(energy: Choice | Sequence[Choice]) -> list[EnergyModel]:
    if isinstance(energy, str | os.PathLike | EnergyModel):
        return [energy_model(energy)]
    models = [energy_model(each) for each in energy]
    ids = [model.id for model in models]
    if not models or len(set(ids)) < len(ids):
        raise UsageError(
            "the same energy model is asked for twice." if models else "no energy model is given.",
            where=f"energy {', '.join(ids)}",
            fix="Name each model once.",
        )
    return models
