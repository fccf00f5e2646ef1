"""Count first, charge later: one tally under any number of energy models.

counts = spikeport.tally(graph, loader)
print(spikeport.energy(counts, "loihi1-davies").totals)
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import UsageError
from spikeport.estimate.counting import Batch
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.load import DEFAULT_ENERGY_MODEL, Choice, energy_model
from spikeport.estimate.energy.pricing import StaticImage
from spikeport.estimate.report import EnergyReport
from spikeport.estimate.table import Interval
from spikeport.estimate.tally.tally import Tally


def tally(
    graph: Graph,
    loader: Iterable[Tensor | Batch],
    *,
    per_sample: bool = False,
    dtype: torch.dtype = torch.float32,
    seed: int = 0,
) -> Tally:
    """Run all batches of a loader and count them exactly.

    Args:
        graph: what `spikeport.trace` or `load_graph` returned.
        loader: frames `[T, B, *shape]` (`[B, *shape]` for static images), alone or with labels,
            or with labels and names of the samples (see `Tally.run`).
        per_sample: keep the counts of each sample, see `Tally.per_sample`.
        dtype: what the network runs in. In float64 rounding does not decide about spikes, so that
            counts are the same for any batch size.
        seed: of the bootstrap.

    Raises:
        UsageError: there is no sample, or frames do not fit the graph.
    """
    counted, executor = Tally(graph, keep=per_sample, seed=seed), Interpreter(graph, dtype)
    for batch in loader:
        if isinstance(batch, Tensor):
            counted.run(executor, batch)
        else:
            counted.run(executor, batch[0], batch[2] if len(batch) == 3 else None)
    if not counted.samples:
        raise UsageError(
            "there is no sample to count.", where="loader", fix="Give at least one batch."
        )
    return counted


def energy(
    tally: Tally,
    model: Choice = DEFAULT_ENERGY_MODEL,
    *,
    static_image: StaticImage = "executed",
) -> EnergyReport:
    """What counts cost under an energy model: a shipped name, a `.toml` file, or a model.

    Raises:
        UnknownNameError: no energy model has this name.
        FileError: the energy model file is refused.
        UsageError: nothing was counted yet.
    """
    found = energy_model(model)
    if not tally.samples:
        raise UsageError("this tally holds no sample.", where="tally", fix="Run a batch first.")
    return EnergyReport(
        tally, Energies(tally, found, static_image), interval=Interval(seed=tally.seed)
    )
