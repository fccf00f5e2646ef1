"""Spiking, non-spiking and quantised energy side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from spikeport.convert.ops import Conv, Linear
from spikeport.core.errors import UsageError
from spikeport.estimate.compare.ann import DenseNetwork, quantised_bits
from spikeport.estimate.compare.break_even import break_even_factor, break_even_rate
from spikeport.estimate.compare.tornado import Influence, influences
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.schema import EnergyModel
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule

PUBLISHED = (
    "5.7 to 6.4 % mean rate (Yan et al., arXiv 2409.08290)",
    "0.15 to 1.38 spikes per synapse and inference (Dampfhoffer et al. 2023)",
)
"""Below which published critics let a spiking network win."""


@dataclass(frozen=True)
class LayerComparison:
    """One node under the same energy model, pJ per sample.

    Attributes:
        connected: it has weights or multiplies activations; else it is pooling or the like.
        spiking, dense, quantised: energies.
        break_even, break_even_quantised: see `break_even_rate`.
    """

    connected: bool
    spiking: Fraction
    dense: Fraction
    quantised: Fraction
    break_even: float | None
    break_even_quantised: float | None


@dataclass(frozen=True)
class Comparison:
    """A spiking network, the same without spikes, and the same with few levels.

    Attributes:
        bits: of the quantised network's activations: ceil(log2(T + 1)).
        layers: by node.
        factor, factor_quantised: times as many events at which the networks cost the same.
        spikes_per_synapse: events that a connection passes per sample, mean over the layers with
            weights that read events; None without any.
        tornado: influence of each constant on spiking / dense, largest first.
        conventions: how it is counted, one sentence each.
    """

    bits: int
    layers: Mapping[str, LayerComparison]
    factor: float | None
    factor_quantised: float | None
    spikes_per_synapse: float | None
    tornado: tuple[Influence, ...]
    conventions: tuple[str, ...]

    def total(self, which: str) -> Fraction:
        """pJ per sample of "spiking", "dense" or "quantised"."""
        return sum((getattr(layer, which) for layer in self.layers.values()), Fraction(0))

    def ratio(self, which: str) -> float | None:
        """Energy of "dense" or "quantised" over that of the spiking network."""
        spiking = self.total("spiking")
        return float(self.total(which) / spiking) if spiking else None

    def dearer_layers(self) -> list[str]:
        """Layers with connections that cost more than without spikes."""
        return [
            name
            for name, layer in self.layers.items()
            if layer.connected and layer.spiking > layer.dense
        ]

    def as_dict(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        return {
            "bits": self.bits,
            **{
                f"{which}_energy_uJ": float(microjoule(self.total(which)))
                for which in ("spiking", "dense", "quantised")
            },
            "break_even_factor": self.factor,
            "break_even_factor_quantised": self.factor_quantised,
            "spikes_per_synapse": self.spikes_per_synapse,
            "published_break_even": list(PUBLISHED),
            "dearer_layers": self.dearer_layers(),
            "tornado": [
                {
                    "constant": each.constant,
                    "ratio_at_half": each.at_half,
                    "ratio_at_double": each.at_double,
                    "flips_at_factor": each.flips_at,
                }
                for each in self.tornado
            ],
            "conventions": list(self.conventions),
        }


def is_comparable(model: EnergyModel) -> bool:
    """Whether the model tells what a multiply-accumulate costs."""
    return any(charge.count == Term.MAC.value for charge in model.charges)


def compare(energies: Energies) -> Comparison:
    """The same topology without spikes, under the same model, on the same tally.

    Raises:
        UsageError: the energy model has no price for a multiply-accumulate.
    """
    tally, model = energies.tally, energies.model
    if not is_comparable(model):
        raise UsageError(
            "it has no price for a multiply-accumulate, so a network without spikes has none.",
            where=f"energy model {model.id}",
            fix="Compare under a model that has one, such as horowitz45-fp32.",
        )
    bits = quantised_bits(tally.steps or 0)
    dense = DenseNetwork(tally.graph, tally.plans, model)
    quantised = DenseNetwork(tally.graph, tally.plans, model, bits)
    layers = {
        node.name: LayerComparison(
            Term.MAC in dense.counts[node.name],
            energies.total(node.name) / tally.samples,
            dense.energy(node.name),
            quantised.energy(node.name),
            break_even_rate(energies, node.name, dense.energy(node.name)),
            break_even_rate(energies, node.name, quantised.energy(node.name)),
        )
        for node in tally.graph
    }
    units = {name: count / tally.samples for name, count in energies.by_constant().items()}
    everything = list(layers)
    return Comparison(
        bits=bits,
        layers=layers,
        factor=break_even_factor(energies, everything, dense.total()),
        factor_quantised=break_even_factor(energies, everything, quantised.total()),
        spikes_per_synapse=_spikes_per_synapse(tally),
        tornado=tuple(influences(model, units, dense.by_constant())),
        conventions=(
            "every connection once as a multiply-accumulate, ReLU free, no zero is skipped",
            f"quantised: {bits}-bit activations, a product as {bits} additions if that is cheaper",
            "neither was trained here, so nothing is said about their accuracy",
        ),
    )


def _spikes_per_synapse(tally: Tally) -> float | None:
    layers = [
        node.name
        for node in tally.graph
        if isinstance(node.op, Conv | Linear) and Term.SOP in tally.plans[node.name].terms
    ]
    operations = sum(tally.total(name, Term.SOP) for name in layers)
    # As often as there are steps: dense counts each connection once per step.
    synapses = sum(tally.total(name, Term.DENSE) for name in layers)
    return operations / synapses * max(tally.steps or 0, 1) if synapses else None
