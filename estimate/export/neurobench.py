"""The figures of a report under the names that NeuroBench's `Benchmark.run` gives them.

J. Yik et al., "The NeuroBench framework for benchmarking neuromorphic computing algorithms and
systems", Nature Communications 16:1545, 2025; metrics as in neurobench 2.3. Intended differences:
`docs/counting.md`.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear
from spikeport.core.files import write_json
from spikeport.estimate.energy.memory import parameters
from spikeport.estimate.sizes import connections
from spikeport.estimate.tally.facts import elements, label
from spikeport.estimate.tally.tally import Tally
from spikeport.estimate.tally.terms import Term

if TYPE_CHECKING:
    from spikeport.estimate.report import EnergyReport

OWN = "spikeport"
"""The entry that NeuroBench does not have: where the figures come from, and what differs."""
# As NeuroBench rounds it.
_DECIMALS = 4


def neurobench_results(report: EnergyReport) -> dict[str, Any]:
    """NeuroBench's metrics of a report, as JSON values.

    Args:
        report: counts of the samples; counts here are means per sample.

    Returns:
        `Footprint` (bytes of weights and constants of the graph), `ParameterCount`,
        `ConnectionSparsity` (share of zero weights of layers), `ClassificationAccuracy` (0 to 1,
        only with labels), `ActivationSparsity` and `ActivationSparsityByLayer` (share of neurons
        and steps without a spike, only with neurons), `SynapticOperations` (`Effective_MACs`,
        `Effective_ACs`, `Dense` of convolutions and linear layers) and, under `spikeport`, the
        origin and each difference that this network meets.
    """
    tally = report.tally
    layers = [node for node in tally.graph if isinstance(node.op, Conv | Linear)]
    results: dict[str, Any] = {
        "Footprint": sum(
            tensor.numel() * tensor.element_size()
            for node in tally.graph
            for tensor in node.op.tensors().values()
        ),
        "ParameterCount": sum(parameters(node) for node in tally.graph),
    }
    weights = sum(node.op.tensors()["weight"].numel() for node in layers)
    if weights:
        zeros = sum(int(node.op.tensors()["weight"].eq(0).sum()) for node in layers)
        results["ConnectionSparsity"] = round(zeros / weights, _DECIMALS)
    if report.accuracy is not None:
        results["ClassificationAccuracy"] = report.accuracy.top1
    results |= _activations(tally)
    results["SynapticOperations"] = _operations(tally, layers)
    results[OWN] = {
        "headline": report.headline,
        "origin": report.origin,
        "differences": _differences(tally, layers),
    }
    return results


def neurobench_json(report: EnergyReport, path: str | os.PathLike[str]) -> None:
    """Write `neurobench_results`, atomically.

    Raises:
        FileError: the file cannot be written.
    """
    write_json(path, neurobench_results(report))


def _activations(tally: Tally) -> dict[str, Any]:
    neurons = [name for name, plan in tally.plans.items() if Term.SPIKES_OUT in plan.terms]
    spikes = {name: tally.total(name, Term.SPIKES_OUT) for name in neurons}
    sites = {
        name: elements(tally.graph[name]) * (tally.steps or 1) * tally.samples for name in neurons
    }
    if not sum(sites.values()):
        return {}
    silent = sum(sites.values()) - sum(spikes.values())
    return {
        "ActivationSparsity": silent / sum(sites.values()),
        "ActivationSparsityByLayer": {
            name: (sites[name] - spikes[name]) / sites[name] for name in neurons if sites[name]
        },
    }


def _operations(tally: Tally, layers: list[Node]) -> dict[str, float]:
    dense = sum(
        connections(tally.graph, node) * ((tally.steps or 1) if node.per_step else 1)
        for node in layers
    )
    return {
        "Effective_MACs": _per_sample(tally, layers, Term.MAC),
        "Effective_ACs": _per_sample(tally, layers, Term.SOP_EFFECTIVE),
        "Dense": float(dense),
    }


def _differences(tally: Tally, layers: list[Node]) -> list[str]:
    """Where NeuroBench, run on the PyTorch model, would say something else; only what applies."""
    plans, graph = tally.plans, tally.graph
    found = []
    real = [node for node in layers if Term.MAC in plans[node.name].terms]
    if real:
        found.append(
            f"{_named(real)}: Effective_MACs holds all multiply-accumulates on real input; "
            "NeuroBench leaves out those with a value or a weight that is 0"
        )
    commuted = [node for node in layers if plans[node.name].commuted]
    if commuted:
        found.append(
            f"{_named(commuted)}: additions of the spikes behind a constant scale, among "
            "Effective_ACs; NeuroBench counts multiply-accumulates on the scaled values"
        )
    graded = [
        node
        for node in layers
        if node not in commuted and {graph[each].domain.value for each in node.inputs} == {"graded"}
    ]
    if graded:
        found.append(
            f"{_named(graded)}: driven by whole numbers, among Effective_ACs; NeuroBench counts "
            "multiply-accumulates for each batch in which one is neither 0 nor 1 nor -1"
        )
    products = [node for node in graph if node.op.kind == "matmul"]
    if products:
        left_out = _per_sample(tally, products, Term.SOP)
        found.append(
            f"{_named(products)}: like NeuroBench, SynapticOperations leaves out products of "
            f"activations, {left_out:g} synaptic operations per sample"
        )
    found.append(
        "Footprint, ParameterCount and ConnectionSparsity are of the graph, in which batch norms "
        "are folded into the layers before them"
    )
    return found


def _named(nodes: list[Node]) -> str:
    first = label(nodes[0])
    return first if len(nodes) == 1 else f"{first} and {len(nodes) - 1} more"


def _per_sample(tally: Tally, nodes: list[Node], term: Term) -> float:
    total = sum(tally.total(node.name, term) for node in nodes)
    return float(Fraction(total, tally.samples))
