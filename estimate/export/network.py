"""The network behind a report, for programs that draw it: graph, rates by step, energy by kind."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from spikeport.convert.seeing import layers
from spikeport.core.files import write_json
from spikeport.estimate.compare.comparison import compare, is_comparable
from spikeport.estimate.energy.evaluate import Energies
from spikeport.estimate.energy.load import ENERGY_MODELS
from spikeport.estimate.export.plots import energy_by_kind, firing_rates
from spikeport.estimate.formats import NETWORK_STAMP
from spikeport.estimate.tally.terms import Term
from spikeport.estimate.units import microjoule

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport


def network(report: EnergyReport, name: str = "network", command: str = "") -> dict[str, Any]:
    """The graph and what each node does, as JSON values.

    Args:
        report: counts and energy.
        name: of the network.
        command: what made the report, for a reader who wants to repeat it.

    Returns:
        `nodes` in graph order with what they read (`inputs`, `feedback`); `rates`, by neuron node
        spikes per neuron for each step; `energy_models`, those of the report first and then all
        others that are known, each with `kinds`: by kind of charge and node, uJ per sample.
    """
    tally, graph = report.tally, report.tally.graph
    neurons = [node for node, plan in tally.plans.items() if Term.SPIKES_OUT in plan.terms]
    asked = [report.energies, *report.others]
    ids = {energies.model.id for energies in asked}
    further = [
        Energies(tally, ENERGY_MODELS[each], report.energies.static_image)
        for each in ENERGY_MODELS
        if each not in ids
    ]
    return {
        "format": NETWORK_STAMP[0],
        "version": NETWORK_STAMP[1],
        "model": name,
        "command": command,
        "headline": report.headline,
        "origin": report.origin,
        "outputs": list(graph.outputs),
        "nodes": [
            {**layer.as_json(), "inputs": list(graph[layer.node].inputs)} for layer in layers(graph)
        ],
        "rates": dict(zip(neurons, firing_rates(report, neurons), strict=True)),
        "energy_models": [_priced(report, each) for each in (*asked, *further)],
    }


def network_json(
    report: EnergyReport, path: str | os.PathLike[str], name: str = "network", command: str = ""
) -> None:
    """Write `network`, atomically.

    Raises:
        FileError: the file cannot be written.
    """
    write_json(path, network(report, name, command))


def _priced(report: EnergyReport, energies: Energies) -> dict[str, Any]:
    model, names = energies.model, list(report.tables.names)
    comparison = compare(energies) if is_comparable(model) else None
    kinds = energy_by_kind(energies, names)
    return {
        "id": model.id,
        "title": model.title,
        "energy_uJ": float(microjoule(report.under(energies))),
        "ann_energy_uJ": None
        if comparison is None
        else float(microjoule(comparison.total("dense"))),
        "constants": len(model.constants),
        "unverified": len(model.unverified),
        "excludes": list(model.left_out),
        "kinds": {
            kind: {name: value for name, value in zip(names, values, strict=True) if value}
            for kind, values in kinds.items()
        },
    }
