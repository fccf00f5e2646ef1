"""What an evaluation found: figures, tables, JSON."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from spikeport.convert.graph import Graph
from spikeport.convert.storage import fingerprint
from spikeport.estimate.evaluation.agreement import Agreement, agreements
from spikeport.estimate.evaluation.answers import AccuracyResult
from spikeport.estimate.evaluation.calibration import Calibration, calibration
from spikeport.estimate.evaluation.confusion import ClassRow, confusion, per_class
from spikeport.estimate.evaluation.curve import StepRow
from spikeport.estimate.evaluation.early_exit import ExitRow
from spikeport.estimate.evaluation.timing import Timing
from spikeport.estimate.origin import git_state
from spikeport.estimate.report import DataInfo, EnergyReport
from spikeport.estimate.stats import Statistics
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule

if TYPE_CHECKING:
    import pandas as pd

TOP = 5
"""Beside top-1."""


@dataclass(frozen=True, eq=False)
class TargetResult:
    """One executor on the data.

    Attributes:
        answers: to each sample.
        graph: what ran.
        energy: counts and what they cost; None if nothing was counted.
        curve: one row per step; empty if it was not asked for.
        exits: one row per confidence; empty if it was not asked for.
        timing: None if nothing was timed.
        latency_steps: steps by which the last neurons lag behind the input on the target.
        late: nodes because of which the energy of fewer steps is not known, by module path.
    """

    answers: AccuracyResult
    graph: Graph
    energy: EnergyReport | None = None
    curve: tuple[StepRow, ...] = ()
    exits: tuple[ExitRow, ...] = ()
    timing: Timing | None = None
    latency_steps: int = 0
    late: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """Number of scores."""
        (last,) = self.graph.outputs
        return self.graph[last].shape[-1]

    @cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """Samples `[classes, classes]` by label (row) and prediction (column)."""
        return confusion(self.answers.labels, self.answers.predictions, self.classes)

    @cached_property
    def per_class(self) -> tuple[ClassRow, ...]:
        return per_class(self.confusion)

    @cached_property
    def calibration(self) -> Calibration:
        return calibration(self.answers.confidences, self.answers.hits)

    @cached_property
    def energy_uj(self) -> Statistics | None:
        """Energy per sample in uJ, static power not included."""
        if self.energy is None:
            return None
        return self.energy.tables.statistics_of_energy(self.energy.tables.names)

    @cached_property
    def sop(self) -> Statistics | None:
        """Synaptic operations per sample."""
        if self.energy is None:
            return None
        return self.energy.tables.statistics_of(Term.SOP, self.energy.tables.names)

    @property
    def static_uj(self) -> float | None:
        """Static power times latency per sample in uJ; None if the energy model tells none."""
        static = None if self.energy is None else self.energy.static_picojoule
        return None if static is None else float(microjoule(static))

    @property
    def uncounted(self) -> tuple[str, ...]:
        """Nodes without a counting rule, which energies lack."""
        ledger = () if self.energy is None else self.energy.ledger.uncounted
        return tuple(entry.path or entry.node for entry in ledger)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One or more executors on the same samples.

    Attributes:
        targets: by the name that each was given.
        samples: their names, in the order of all arrays here.
        steps: T of the frames; None where the network reads images.
        data: what the samples are.
        class_names: by number; empty if they are not known.
        seed: of the bootstrap of energies.
        made_by: what the caller knows about where the figures come from, such as its command.
    """

    targets: Mapping[str, TargetResult]
    samples: tuple[str, ...]
    steps: int | None
    data: DataInfo = field(default_factory=DataInfo)
    class_names: tuple[str, ...] = ()
    seed: int = 0
    made_by: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def origin(self) -> dict[str, str]:
        """Where the figures come from: version, git state if there is one, hashes, data, seed."""
        git = git_state()
        graphs = {f"graph_sha256[{n}]": fingerprint(each.graph) for n, each in self.targets.items()}
        models = {each.energy.model.id for each in self.targets.values() if each.energy is not None}
        return {
            "spikeport": version("spikeport"),
            **({} if git is None else {"git": git}),
            **graphs,
            "data": self.data.name,
            "split": self.data.split,
            **({"data_sha256": self.data.sha256} if self.data.sha256 else {}),
            **({"energy_model": ", ".join(sorted(models))} if models else {}),
            "seed": str(self.seed),
            **self.made_by,
        }

    @cached_property
    def agreements(self) -> tuple[Agreement, ...]:
        """Each pair of targets."""
        return agreements({name: each.answers for name, each in self.targets.items()})

    def class_name(self, label: int) -> str:
        return self.class_names[label] if label < len(self.class_names) else str(label)

    def table(self) -> pd.DataFrame:
        """One row per target."""
        from spikeport.estimate.evaluation import tables

        return tables.summary(self)

    def predictions(self) -> pd.DataFrame:
        """One row per sample."""
        from spikeport.estimate.evaluation import tables

        return tables.predictions(self)

    def classes(self) -> pd.DataFrame:
        """One row per target and class."""
        from spikeport.estimate.evaluation import tables

        return tables.classes(self)

    def confusion(self, target: str) -> pd.DataFrame:
        """Samples by label (row) and prediction (column)."""
        from spikeport.estimate.evaluation import tables

        return tables.confusion(self, target)

    def curve(self) -> pd.DataFrame:
        """One row per target and number of steps."""
        from spikeport.estimate.evaluation import tables

        return tables.curve(self)

    def exits(self) -> pd.DataFrame:
        """One row per target and confidence."""
        from spikeport.estimate.evaluation import tables

        return tables.exits(self)

    def reliability(self) -> pd.DataFrame:
        """One row per target and bin of confidence."""
        from spikeport.estimate.evaluation import tables

        return tables.reliability(self)

    def as_json(self) -> dict[str, Any]:
        """All of it as JSON values; wall-clock times stand apart, under `timing`."""
        from spikeport.estimate.evaluation.as_json import as_json

        return as_json(self)

    def save(self, folder: str | os.PathLike[str]) -> list[Path]:
        """Write all tables and figures; see `spikeport.estimate.evaluation.files.save`.

        Raises:
            FileError: a file cannot be written.
        """
        from spikeport.estimate.evaluation.files import save

        return save(self, folder)
