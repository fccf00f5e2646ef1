"""One pass over the data: tally, accuracy and energy."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.core.errors import UsageError
from spikeport.estimate.capacity import Chip, fit_chips
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.load import DEFAULT_ENERGY_MODEL, energy_model
from spikeport.estimate.energy.pricing import StaticImage
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.evaluate import Accuracy
from spikeport.estimate.paper import paper_mode
from spikeport.estimate.report import DataInfo, EnergyReport
from spikeport.estimate.stats import INTERVALS, Method
from spikeport.estimate.table import Interval
from spikeport.estimate.tally.tally import Tally

Choice = str | os.PathLike[str] | EnergyModel
"""An energy model by name, by file, or itself."""


def estimate(
    executor: Executor,
    batches: Iterable[tuple[Tensor, Tensor | None]],
    energy: Choice | Sequence[Choice] = DEFAULT_ENERGY_MODEL,
    *,
    data: DataInfo | None = None,
    papers: Sequence[str] = ("max-former",),
    chips: Sequence[str | os.PathLike[str] | Chip] = (),
    static_image: StaticImage = "executed",
    interval: Method = "normal",
    seed: int = 0,
) -> EnergyReport:
    """Run all batches once; count them, judge them, and charge them.

    Args:
        executor: runs the graph.
        batches: (frames `[T, B, *shape]` as the executor takes them, labels `[B]` or None).
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
    tally, judged = Tally(executor.graph), Accuracy()
    energies = [Energies(tally, model, static_image) for model in models]
    labelled = 0
    for frames, labels in batches:
        scores = tally.run(executor, frames)
        if labels is not None:
            judged.add(scores, labels)
            labelled += len(labels)
    if not tally.samples:
        raise UsageError(
            "there is no sample to count.", where="batches", fix="Give at least one batch."
        )
    return EnergyReport(
        tally=tally,
        energies=energies[0],
        data=data or DataInfo(),
        interval=Interval(interval, seed),
        papers=tuple(mode(tally) for mode in modes),
        accuracy=judged.result() if labelled else None,
        others=tuple(energies[1:]),
        capacity=capacity,
    )


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
