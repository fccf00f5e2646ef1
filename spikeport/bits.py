"""One network at several widths of its weights: what each costs, and what it still gets right."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

# Registers how what Lava adds is counted.
from spikeport import lava_counting as _rules  # noqa: F401
from spikeport.convert.executor import Executor
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import UsageError
from spikeport.core.files import write_json, write_text
from spikeport.core.progress import track
from spikeport.estimate.api import energy as priced
from spikeport.estimate.capacity import needs
from spikeport.estimate.energy.load import energy_model
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.evaluation.answers import Accuracy, AccuracyResult
from spikeport.estimate.formats import BITS_STAMP
from spikeport.estimate.paired import Paired, paired
from spikeport.estimate.report import EnergyReport
from spikeport.estimate.tally import Tally
from spikeport.targets.fidelity import StageFidelity, against_float
from spikeport.targets.lava import LavaArtefact, LoweringOptions, lower
from spikeport.targets.lava.calibration import Calibration

if TYPE_CHECKING:
    import pandas as pd

ENERGY = "loihi1-davies"
"""The chip whose arithmetic Lava has."""
CHOSEN = (4, 5, 6, 7, 8, 10, 12)
"""Widths of a sweep."""

Batches = Sequence[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class BitsRow:
    """The network at one width; figures of cost are means per sample.

    Attributes:
        bits: width of a weight with sign; None: the float network.
        accuracy, low, high: share of right samples and its 95 % interval (Wilson).
        agreement: share of samples with the float network's answer.
        difference, difference_low, difference_high: accuracy minus the float network's, with the
            95 % interval for pairs (Agresti and Min).
        p_value: exact McNemar test against the float network.
        worst_alone: smallest share of equal spikes of a layer that reads the float network's.
        rate_error: largest relative error of a layer's firing rate, errors before it included.
        weight_bytes: of all weights at this width (float: 32 bits), without biases.
        sop: synaptic operations; energy_uj: under the energy model, whose prices do not depend on
            the width of a weight.
        warnings: findings of the lowering that need a look.
    """

    bits: int | None
    correct: int
    count: int
    accuracy: float
    low: float
    high: float
    agreement: float
    difference: float
    difference_low: float
    difference_high: float
    p_value: float
    worst_alone: float | None
    rate_error: float
    weight_bytes: int
    sop: float
    energy_uj: float
    warnings: int


@dataclass(frozen=True)
class BitsSweep:
    """Rows by width, the float network first.

    Attributes:
        energy_model: whose prices are charged.
        uncounted: nodes that could not be counted, so that energies lack them.
        about: what the caller knows of network and data; stands in all files.
    """

    rows: tuple[BitsRow, ...]
    energy_model: str
    uncounted: tuple[str, ...]
    about: Mapping[str, str | int] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """One row per width; the columns are the fields of `BitsRow`."""
        import pandas as pd

        table = pd.DataFrame([asdict(row) for row in self.rows])
        return table.astype({"bits": "Int64"})

    def as_json(self) -> dict[str, Any]:
        return {
            "format": BITS_STAMP[0],
            "version": BITS_STAMP[1],
            **self.about,
            "energy_model": self.energy_model,
            "uncounted": list(self.uncounted),
            "rows": [asdict(row) for row in self.rows],
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write `.csv` or `.json`, atomically.

        Raises:
            UsageError: the file is to be something else.
            FileError: the file cannot be written.
        """
        suffix = Path(path).suffix
        if suffix == ".csv":
            facts = {**self.about, "energy_model": self.energy_model}
            write_text(path, self.table().assign(**facts).to_csv(index=False))
        elif suffix == ".json":
            write_json(path, self.as_json())
        else:
            raise UsageError(
                f"{suffix or 'no suffix'} is no table that can be written.",
                where=str(path),
                fix="Name it *.csv or *.json.",
            )


def sweep_bits(
    graph: Graph,
    calibration: Calibration,
    batches: Iterable[tuple[Tensor, Tensor]],
    bits: Sequence[int] = CHOSEN,
    *,
    sample: Tensor | None = None,
    energy: str | os.PathLike[str] | EnergyModel = ENERGY,
    **options: object,
) -> BitsSweep:
    """Lower a network to Lava at several widths of its weights and run each on all samples.

    Runs are those of the integer executor, which equals Lava spike for spike.

    Args:
        calibration: frames that scales and weights are chosen by; none of those tested.
        batches: (frames `[T, B, *shape]`, labels `[B]`); held in memory, for each width runs them.
        sample: frames that layers are compared on one by one; the first batch if not given.
        energy: name or `.toml` file of an energy model, or itself.
        options: of the lowering, other than `weight_bits`.

    Raises:
        UsageError: no width or no batch is given, or a width or option is out of range.
        UnsupportedError: the graph cannot be lowered.
    """
    held, model = list(batches), energy_model(energy)
    if not held or not bits:
        raise UsageError(
            "there is nothing to run.", where="sweep_bits", fix="Give batches and widths."
        )
    # A width out of range must not cost the runs of those before it.
    chosen = checked_options(bits, options)
    sample = held[0][0] if sample is None else sample
    base = _Measured.of(Interpreter(graph), held, model)
    rows = [_row(None, base, base, None, None)]
    uncounted = set(base.uncounted)
    for width in track(list(chosen), "Lowering and running"):
        artefact = lower(graph, calibration, options=chosen[width])
        measured = _Measured.of(artefact.executor(), held, model)
        stage = against_float(graph, artefact, sample)
        rows.append(_row(width, measured, base, artefact, stage))
        uncounted |= set(measured.uncounted)
    return BitsSweep(tuple(rows), model.id, tuple(sorted(uncounted)))


def checked_options(
    bits: Sequence[int], options: Mapping[str, object]
) -> dict[int, LoweringOptions]:
    """The options of each width.

    Raises:
        UsageError: one is unknown or out of range, or tells the width too.
    """
    if "weight_bits" in options:
        raise UsageError(
            "a sweep sets the width of weights itself.",
            where="weight_bits",
            fix="Leave it out, and name the widths in `bits`.",
        )
    return {width: LoweringOptions.of(**options, weight_bits=width) for width in bits}


@dataclass(frozen=True)
class _Measured:
    graph: Graph
    result: AccuracyResult
    report: EnergyReport

    @classmethod
    def of(cls, executor: Executor, batches: Batches, model: EnergyModel) -> _Measured:
        tally, judged = Tally(executor.graph), Accuracy()
        for frames, labels in batches:
            judged.add(tally.run(executor, frames), labels)
        return cls(executor.graph, judged.result(), priced(tally, model))

    @property
    def uncounted(self) -> list[str]:
        return [entry.path or entry.node for entry in self.report.ledger.uncounted]


def _row(
    bits: int | None,
    measured: _Measured,
    base: _Measured,
    artefact: LavaArtefact | None,
    stage: StageFidelity | None,
) -> BitsRow:
    result = measured.result
    pair: Paired = paired(base.result.hits, result.hits)
    need = needs(measured.graph)
    totals = measured.report.totals
    return BitsRow(
        bits=bits,
        correct=result.correct,
        count=result.count,
        accuracy=result.top1,
        low=result.interval[0],
        high=result.interval[1],
        agreement=result.same(base.result).value,
        difference=pair.difference,
        difference_low=pair.interval[0],
        difference_high=pair.interval[1],
        p_value=pair.p_value,
        worst_alone=1.0 if stage is None else stage.worst_alone,
        rate_error=0.0 if stage is None else stage.worst_rate_error,
        weight_bytes=sum(layer.weight_bytes(bits or 32) for layer in need.layers),
        sop=float(totals["sop"]),
        energy_uj=float(totals["energy_uJ"]),
        warnings=0 if artefact is None else len(artefact.report.warnings()),
    )
