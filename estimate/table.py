"""Tables of a tally under an energy model: per layer, per stage, per time step, in total."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from spikeport.estimate.columns import layer_columns
from spikeport.estimate.counts import CountTables, spread
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.memory import parameters
from spikeport.estimate.stats import Method, Statistics
from spikeport.estimate.tally.batch import Key
from spikeport.estimate.units import microjoule


@dataclass(frozen=True)
class Interval:
    """How intervals are found; see `statistics`."""

    method: Method = "bootstrap"
    seed: int = 0


class Tables(CountTables):
    """Figures of one tally under one energy model, energies summed as exact fractions."""

    def __init__(self, energies: Energies, interval: Interval) -> None:
        super().__init__(energies.tally, interval.method)
        self.energies = energies

    def energy(self, names: Iterable[str]) -> Fraction:
        """pJ over nodes, samples and steps."""
        return sum((self.energies.total(name) for name in names), Fraction(0))

    def layers(self) -> pd.DataFrame:
        """One row per node that is counted or UNCOUNTED; figures per sample, see `columns`."""
        return pd.DataFrame([self._layer(name) for name in self.names], columns=layer_columns())

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

    def _layer(self, name: str) -> dict[str, Any]:
        return super()._layer(name) | {"charged_as": self._charged_as(name)}

    def _figures(self, names: list[str]) -> dict[str, Any]:
        figures = super()._figures(names)
        energy, everything = self.energy(names), self.energy(self.names)
        figures["energy_uJ"] = self._mean(microjoule(energy))
        figures["energy_share"] = float(energy / everything) if everything else None
        figures |= spread("energy_uJ", self.statistics_of_energy(names))
        charged = sum((self.energies.charged(name) for name in names), Fraction(0))
        figures["charged_operations"] = self._mean(charged)
        figures["bytes_weights"] = sum(self._weight_bytes(name) for name in names)
        figures["bytes_state"] = sum(self._state_bytes(name) for name in names)
        return figures

    def statistics_of_energy(self, names: list[str]) -> Statistics:
        """Statistics of the energy of nodes in uJ per sample."""
        return self.tally.statistics(self._prices(names), self.method)

    def _prices(self, names: list[str]) -> dict[Key, Fraction]:
        """uJ that each count of these nodes costs."""
        prices: dict[Key, Fraction] = {}
        for name in names:
            for item in self.energies.items(name):
                price = microjoule(item.price(self.energies.model))
                for term, coefficient in item.counts.items():
                    key = (name, term)
                    prices[key] = prices.get(key, Fraction(0)) + coefficient * price
        return prices

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
