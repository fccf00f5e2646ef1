"""The energy report: tables, ledger, and what a sceptic asks first."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import pandas as pd
from rich.console import RenderableType

from spikeport.core.files import write_json, write_text
from spikeport.core.plain import plain
from spikeport.estimate.capacity.report import CapacityReport
from spikeport.estimate.compare.comparison import Comparison, compare, is_comparable
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.load import ENERGY_MODELS
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.evaluation.answers import AccuracyResult
from spikeport.estimate.formats import REPORT_STAMP
from spikeport.estimate.origin import one_line, origin
from spikeport.estimate.paper.registry import PaperEstimate
from spikeport.estimate.stats import WIDE
from spikeport.estimate.table import Interval, Tables
from spikeport.estimate.tally.ledger import Ledger
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule

PAPER_CONSTANTS = "horowitz45-fp32"
"""What published conventions charge; their deviation compares with the exact count at these."""


@dataclass(frozen=True)
class DataInfo:
    """What the samples are, as the caller states it.

    Attributes:
        name: of the data set.
        split: of the data set.
        provenance: "recorded", "simulated events from real images", ...
        sha256: of frames and labels; empty if it was not taken.
    """

    name: str = "not stated"
    split: str = "not stated"
    provenance: str = "not stated"
    sha256: str = ""


@dataclass(frozen=True)
class EnergyReport:
    """Counts and energy of a network on the samples seen; figures per sample unless said.

    Attributes:
        tally: exact counts.
        energies: the counts under an energy model.
        data: what the samples are.
        interval: how 95 % intervals were found.
        papers: published conventions on the same tally.
        accuracy: on the same samples, in the same run; None without labels.
        others: the same counts under further energy models.
        capacity: what the network needs of chips; None if none was asked for.
    """

    tally: Tally
    energies: Energies
    data: DataInfo = field(default_factory=DataInfo)
    interval: Interval = field(default_factory=Interval)
    papers: tuple[PaperEstimate, ...] = ()
    accuracy: AccuracyResult | None = None
    others: tuple[Energies, ...] = ()
    capacity: CapacityReport | None = None

    @property
    def model(self) -> EnergyModel:
        return self.energies.model

    @cached_property
    def tables(self) -> Tables:
        return Tables(self.energies, self.interval)

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger.of(self.tally)

    @cached_property
    def layers(self) -> pd.DataFrame:
        """One row per counted node; see `columns`. Energies under further models come last."""
        table = self.tables.layers()
        if self.comparison is not None:
            rows = [self.comparison.layers[name] for name in self.tables.names]
            table["ann_energy_uJ"] = [float(microjoule(row.dense)) for row in rows]
            table["quantised_ann_energy_uJ"] = [float(microjoule(row.quantised)) for row in rows]
            table["break_even_rate"] = [row.break_even for row in rows]
            table["break_even_rate_quantised"] = [row.break_even_quantised for row in rows]
        for other in self.others:
            table[f"energy_uJ[{other.model.id}]"] = [
                float(microjoule(other.total(name)) / self.tally.samples)
                for name in self.tables.names
            ]
        table["origin"] = one_line(self.origin)
        return table

    @cached_property
    def origin(self) -> dict[str, str]:
        """Version, git state if there is one, hash of the graph, data, seed."""
        return origin(self)

    @cached_property
    def stages(self) -> pd.DataFrame:
        """One row per network stage and part; uJ by each published convention come last."""
        table, groups = self.tables.stages(), self.tables.grouped().values()
        for paper in self.papers:
            parts = [[paper.layers.get(name, Fraction(0)) for name in names] for names in groups]
            spent = [float(microjoule(sum(each, Fraction(0)))) for each in parts]
            table[f"energy_uJ[{paper.mode}]"] = spent
        return table

    @cached_property
    def steps(self) -> pd.DataFrame:
        """One row per time step, and one for what happens once per sample."""
        return self.tables.steps()

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Whole numbers over all samples: one row per node."""
        return self.tables.counts()

    @cached_property
    def totals(self) -> dict[str, Any]:
        """The whole network: counts and energy in uJ."""
        return self.tables.totals()

    @property
    def picojoule(self) -> Fraction:
        """pJ per sample, mean over the samples, exact; without static power."""
        return self.tables.energy(self.tables.names) / self.tally.samples

    @property
    def static_picojoule(self) -> Fraction | None:
        """Static power x latency, pJ per sample; None if the energy model does not tell both."""
        return self.energies.static

    @cached_property
    def paper_exact(self) -> Fraction:
        """pJ per sample by the exact count at the constants that the papers use."""
        if self.model.id == PAPER_CONSTANTS and self.energies.static_image == "executed":
            return self.picojoule
        return self.under(Energies(self.tally, ENERGY_MODELS[PAPER_CONSTANTS]))

    def under(self, energies: Energies) -> Fraction:
        """pJ per sample under another energy model, mean over the samples, exact."""
        total = sum((energies.total(name) for name in self.tables.names), Fraction(0))
        return total / self.tally.samples

    @cached_property
    def comparison(self) -> Comparison | None:
        """The same network without spikes; None if the energy model has no price for it."""
        return compare(self.energies) if is_comparable(self.model) else None

    @property
    def headline(self) -> str:
        """The first line of every form of the report."""
        if not self.ledger.complete:
            names = ", ".join(f"{e.path or e.node} ({e.kind})" for e in self.ledger.uncounted)
            return f"INCOMPLETE: {len(self.ledger.uncounted)} UNCOUNTED: {names}"
        return "Energy report: every node is counted or zero by rule"

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the layer table, atomically. An incomplete report starts with a # line.

        Raises:
            FileError: the file cannot be written.
        """
        warning = "" if self.ledger.complete else f"# {self.headline}\n"
        write_text(path, warning + self.layers.to_csv(index=False))

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Write `as_dict`, atomically.

        Raises:
            FileError: the file cannot be written.
        """
        write_json(path, self.as_dict())

    def as_dict(self) -> dict[str, Any]:
        """The whole report as JSON values."""
        content = {
            "headline": self.headline,
            "format": REPORT_STAMP[0],
            "version": REPORT_STAMP[1],
            "origin": self.origin,
            "data": asdict(self.data),
            "samples": self.tally.samples,
            "steps": self.tally.steps,
            "energy_model": self.model.model_dump(mode="json"),
            "energy_models": [self._model(each) for each in (self.energies, *self.others)],
            "static_image": self.energies.static_image,
            "uncharged_operations": [term.value for term in self.energies.uncharged()],
            "interval": asdict(self.interval),
            "accuracy": None if self.accuracy is None else _accuracy(self.accuracy),
            "wide_intervals": self.wide,
            "totals": self.totals,
            "comparison": None if self.comparison is None else self.comparison.as_dict(),
            "capacity": None if self.capacity is None else self.capacity.as_dict(),
            "papers": [self._paper(paper) for paper in self.papers],
            "stages": self.stages.to_dict(orient="records"),
            "layers": self.layers.drop(columns="origin").to_dict(orient="records"),
            "time_steps": self.steps.to_dict(orient="records"),
            "counts_over_all_samples": self.counts.to_dict(orient="records"),
            "ledger": [asdict(entry) for entry in self.ledger],
            "notes": self.notes,
        }
        told: dict[str, Any] = plain(content)
        return told

    def render(self) -> RenderableType:
        """The report for a terminal of 100 columns or more."""
        # Not at the top: render reads this module's class.
        from spikeport.estimate.render import render

        return render(self)

    @property
    def notes(self) -> list[str]:
        """What a reader of the figures should know."""
        everything = (self.energies, *self.others)
        return [
            *self.wide,
            *self.ledger.notes(),
            *(f"{each.model.id}: {each.model.note}" for each in everything if each.model.note),
            *(note for each in everything for note in each.notes()),
        ]

    @cached_property
    def wide(self) -> list[str]:
        """A warning for each figure of the network that the samples leave uncertain."""
        found = {
            "energy": self.tables.statistics_of_energy(self.tables.names),
            "synaptic operations": self.tables.statistics_of(Term.SOP, self.tables.names),
        }
        warnings = [
            f"WARNING: the 95 % interval of the network's {name} is {100 * each.width:.1f} % of "
            f"its mean, more than {100 * WIDE:.0f} %: count more than {each.samples} samples"
            for name, each in found.items()
            if each.width is not None and each.width > WIDE
        ]
        if self.tally.samples == 1:
            warnings.append("WARNING: one sample has no interval: count more")
        if self.accuracy is not None:
            low, high = self.accuracy.interval
            if high - low > WIDE:
                warnings.append(
                    f"WARNING: the accuracy lies between {100 * low:.1f} and {100 * high:.1f} % "
                    f"with 95 % certainty, more than {100 * WIDE:.0f} points apart: judge more "
                    f"than {self.accuracy.count} samples"
                )
        return warnings

    def _model(self, energies: Energies) -> dict[str, Any]:
        model, static = energies.model, energies.static
        return {
            "id": model.id,
            "energy_uJ": float(microjoule(self.under(energies))),
            "static_energy_uJ": None if static is None else float(microjoule(static)),
            "excludes": list(model.left_out),
            "uncharged_operations": [term.value for term in energies.uncharged()],
            "unverified_constants": model.unverified,
            "notes": [note for note in (model.note, *energies.notes()) if note],
        }

    def _paper(self, paper: PaperEstimate) -> dict[str, Any]:
        return {
            "mode": paper.mode,
            "source": paper.source,
            "energy_uJ": float(microjoule(paper.picojoule)),
            "deviation_percent": paper.deviation_percent(self.paper_exact),
            "conventions": list(paper.conventions),
            "layers_uJ": {name: float(microjoule(pj)) for name, pj in paper.layers.items()},
        }


def _accuracy(result: AccuracyResult) -> dict[str, Any]:
    low, high = result.interval
    return {
        "top1": result.top1,
        "top1_low": low,
        "top1_high": high,
        "correct": result.correct,
        "count": result.count,
        "per_class": {
            str(label): {"correct": correct, "count": count}
            for label, (correct, count) in result.per_class.items()
        },
    }
