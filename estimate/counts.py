"""Tables of a tally alone: per layer, counts only."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import pandas as pd

from spikeport.estimate.columns import count_columns
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.stages import Stage, stage_of
from spikeport.estimate.stats import Method, Statistics
from spikeport.estimate.tally.facts import elements
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term


class CountTables:
    """Counts of one tally as tables.

    Counts are summed as whole numbers and fractions, and rounded to floats only as they enter a
    table; so stages and layers add up to the same total.
    """

    def __init__(self, tally: Tally, method: Method = "bootstrap") -> None:
        self.tally, self.method = tally, method
        self.names = [
            node.name for node in tally.graph if tally.plans[node.name].status is not Coverage.ZERO
        ]
        present = {term for name in self.names for term in tally.plans[name].terms}
        self.terms = [term for term in Term if term in present]

    def count(self, names: Iterable[str], term: Term) -> int:
        """A count over nodes, samples and steps."""
        return sum(self.tally.total(name, term) for name in names)

    def grouped(self) -> dict[Stage, list[str]]:
        """Nodes by stage, stages in order of first appearance."""
        groups: dict[Stage, list[str]] = {}
        for name in self.names:
            groups.setdefault(stage_of(self.tally.graph[name].path), []).append(name)
        return groups

    def layers(self) -> pd.DataFrame:
        """One row per node that is counted or UNCOUNTED; figures per sample, see `columns`."""
        return pd.DataFrame([self._layer(name) for name in self.names], columns=count_columns())

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
        sources = [self.tally.graph[source] for source in node.inputs]
        return {
            "node": name,
            "path": node.path,
            "stage": stage.stage,
            "part": stage.part,
            "kind": node.op.kind,
            "input_domain": "+".join(source.domain for source in sources),
            "coverage": plan.status.value,
            "commuted": plan.commuted,
            **self._figures([name]),
            "firing_rate_out": self._rate_out(name),
            "input_shape": "+".join(_shape(source.shape) for source in sources),
            "output_shape": _shape(node.shape),
        }

    def _figures(self, names: list[str]) -> dict[str, Any]:
        sites, events = self.count(names, Term.SITES), self.count(names, Term.EVENTS_IN)
        figures: dict[str, Any] = {"firing_rate_in": events / sites if sites else None}
        present = {term for name in names for term in self.tally.plans[name].terms}
        for term in self.terms:
            total = Fraction(self.count(names, term))
            figures[term.value] = self._mean(total) if term in present else None
        if Term.SOP in present:
            figures |= spread("sop", self.statistics_of(Term.SOP, names))
        figures |= self._rate_formula(names)
        footprints = [self.tally.plans[name].footprint for name in names]
        figures["bytes_weights"] = sum(each.weights for each in footprints)
        figures["bytes_state"] = sum(each.state for each in footprints)
        figures["bytes_activations"] = sum(each.activations for each in footprints)
        return figures

    def statistics_of(self, term: Term, names: Iterable[str]) -> Statistics:
        """Statistics of a count over nodes, per sample."""
        return self.tally.statistics({(name, term): 1 for name in names}, self.method)

    def _rate_out(self, name: str) -> float | None:
        """Spikes per neuron and step that a neuron layer emits."""
        if Term.SPIKES_OUT not in self.tally.plans[name].terms:
            return None
        sites = elements(self.tally.graph[name]) * (self.tally.steps or 0) * self.tally.samples
        return self.tally.total(name, Term.SPIKES_OUT) / sites if sites else None

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


def spread(figure: str, found: Statistics) -> dict[str, float | None]:
    """Columns of a figure's statistics."""
    return {
        f"{figure}_std": found.std,
        f"{figure}_low": found.low,
        f"{figure}_high": found.high,
    }


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
