"""Tables of a tally under an energy model: per layer, per stage, per time step, in total."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from spikeport.estimate.columns import layer_columns
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.memory import parameters
from spikeport.estimate.stages import Stage, stage_of
from spikeport.estimate.stats import Method, statistics
from spikeport.estimate.tally.facts import elements
from spikeport.estimate.tally.plan import Coverage
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule


@dataclass(frozen=True)
class Interval:
    """How intervals are found; see `statistics`."""

    method: Method = "normal"
    seed: int = 0


class Tables:
    """Figures of one tally under one energy model.

    Energies and counts are summed as exact fractions and whole numbers, and rounded to floats
    only as they enter a table; so stages and layers add up to the same total.
    """

    def __init__(self, energies: Energies, interval: Interval) -> None:
        self.energies, self.tally, self.interval = energies, energies.tally, interval
        self.names = [
            node.name
            for node in self.tally.graph
            if self.tally.plans[node.name].status is not Coverage.ZERO
        ]
        present = {term for name in self.names for term in self.tally.plans[name].terms}
        self.terms = [term for term in Term if term in present]

    def count(self, names: Iterable[str], term: Term) -> int:
        """A count over nodes, samples and steps."""
        return sum(self.tally.total(name, term) for name in names)

    def energy(self, names: Iterable[str]) -> Fraction:
        """pJ over nodes, samples and steps."""
        return sum((self.energies.total(name) for name in names), Fraction(0))

    def grouped(self) -> dict[Stage, list[str]]:
        """Nodes by stage, stages in order of first appearance."""
        groups: dict[Stage, list[str]] = {}
        for name in self.names:
            groups.setdefault(stage_of(self.tally.graph[name].path), []).append(name)
        return groups

    def layers(self) -> pd.DataFrame:
        """One row per node that is counted or UNCOUNTED; figures per sample, see `columns`."""
        rows = [self._layer(name) for name in self.names]
        return pd.DataFrame(rows, columns=layer_columns())

    def stages(self) -> pd.DataFrame:
        """One row per stage; figures per sample, mean over the samples."""
        return pd.DataFrame(
            [
                {"stage": stage.stage, "part": stage.part, "nodes": len(names)}
                | self._figures(names)
                for stage, names in self.grouped().items()
            ]
        )

    def totals(self) -> dict[str, Any]:
        """The whole network, per sample, mean over the samples."""
        return self._figures(self.names)

    def steps(self) -> pd.DataFrame:
        """One row per time step, and a last one, "once", for what happens once per sample."""
        steps = self.tally.steps or 0
        rows: list[dict[str, Any]] = [{"step": step} for step in (*range(steps), "once")]
        for term in self.terms:
            parts = [self.tally.per_step(name, term) for name in self.names]
            for row, counts in zip(rows, zip(*parts, strict=True), strict=True):
                row[term.value] = self._mean(Fraction(sum(counts)))
        energies = [self.energies.per_step(name) for name in self.names]
        for row, each in zip(rows, zip(*energies, strict=True), strict=True):
            row["energy_uJ"] = self._mean(microjoule(sum(each, Fraction(0))))
        return pd.DataFrame(rows)

    def counts(self) -> pd.DataFrame:
        """Whole numbers over all samples and steps: one row per node, one column per count."""
        rows = [
            {"node": name, **{term.value: self.tally.total(name, term) for term in self.terms}}
            for name in self.names
        ]
        return pd.DataFrame(rows, columns=["node", *(term.value for term in self.terms)])

    def _mean(self, total: Fraction) -> float:
        return float(total / self.tally.samples)

    def _layer(self, name: str) -> dict[str, Any]:
        node, plan = self.tally.graph[name], self.tally.plans[name]
        stage = stage_of(node.path)
        return {
            "node": name,
            "path": node.path,
            "stage": stage.stage,
            "part": stage.part,
            "kind": node.op.kind,
            "input_domain": "+".join(self.tally.graph[source].domain for source in node.inputs),
            "coverage": plan.status.value,
            "commuted": plan.commuted,
            **self._figures([name]),
            "firing_rate_out": self._rate_out(name),
            "charged_as": self._charged_as(name),
        }

    def _figures(self, names: list[str]) -> dict[str, Any]:
        sites, events = self.count(names, Term.SITES), self.count(names, Term.EVENTS_IN)
        figures: dict[str, Any] = {"firing_rate_in": events / sites if sites else None}
        present = {term for name in names for term in self.tally.plans[name].terms}
        for term in self.terms:
            total = Fraction(self.count(names, term))
            figures[term.value] = self._mean(total) if term in present else None
        if Term.SOP in present:
            operations = (self.tally.per_sample(name, Term.SOP) for name in names)
            figures |= self._spread("sop", sum_per_sample(operations))
        figures |= self._rate_formula(names)
        energy, everything = self.energy(names), self.energy(self.names)
        figures["energy_uJ"] = self._mean(microjoule(energy))
        figures["energy_share"] = float(energy / everything) if everything else None
        per_sample = sum_per_sample(self.energies.per_sample(name) for name in names)
        figures |= self._spread("energy_uJ", microjoule(per_sample))
        charged = sum((self.energies.charged(name) for name in names), Fraction(0))
        figures["charged_operations"] = self._mean(charged)
        figures["bytes_weights"] = sum(self._weight_bytes(name) for name in names)
        figures["bytes_state"] = sum(self._state_bytes(name) for name in names)
        footprints = [self.tally.plans[name].footprint for name in names]
        figures["bytes_activations"] = sum(each.activations for each in footprints)
        return figures

    def _weight_bytes(self, name: str) -> int:
        """At the width that the energy model charges, else as the graph stores them."""
        bits = self.energies.model.weight_bits
        if bits is None:
            return self.tally.plans[name].footprint.weights
        return -(-parameters(self.tally.graph[name]) * bits // 8)

    def _state_bytes(self, name: str) -> int:
        bits, state = self.energies.model.state_bits, self.tally.plans[name].footprint.state
        # The tally knows the state of float32 neurons.
        return state if bits is None else -(-state * bits // 32)

    def _charged_as(self, name: str) -> str:
        model = self.energies.model
        parts = [
            f"{'+'.join(item.counts)} x {float(item.price(model)):.6g} pJ"
            for item in self.energies.items(name)
        ]
        return "; ".join(parts)

    def _rate_out(self, name: str) -> float | None:
        """Spikes per neuron and step that a neuron layer emits."""
        if Term.SPIKES_OUT not in self.tally.plans[name].terms:
            return None
        sites = elements(self.tally.graph[name]) * (self.tally.steps or 0) * self.tally.samples
        return self.tally.total(name, Term.SPIKES_OUT) / sites if sites else None

    def _spread(self, figure: str, per_sample: Any) -> dict[str, float | None]:
        found = statistics(per_sample, self.interval.method, seed=self.interval.seed)
        return {
            f"{figure}_std": found.std,
            f"{figure}_low": found.low,
            f"{figure}_high": found.high,
        }

    def _rate_formula(self, names: list[str]) -> dict[str, float | None]:
        """Rate x T x dense size as papers count layers with weights, against their exact SOP."""
        layers = [name for name in names if Term.SOP_EFFECTIVE in self.tally.plans[name].terms]
        by_rate = sum(
            (self.tally.input_rate(n) * self.tally.total(n, Term.DENSE_PADDED) for n in layers),
            Fraction(0),
        )
        exact = self.count(layers, Term.SOP)
        return {
            "sop_rate_formula": self._mean(by_rate) if layers else None,
            "rate_formula_deviation_percent": (
                float((by_rate - exact) / exact * 100) if exact else None
            ),
        }


def sum_per_sample(columns: Iterable[Any]) -> Any:
    """Sum of `[samples]` columns."""
    return np.sum(list(columns), axis=0)
