"""The columns of layers.csv: documented, the same for every network, growing at the end only."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Input, Linear
from spikeport.estimate import LAYER_COLUMNS, Term, estimate

FIRST_VERSION = [
    "node",
    "path",
    "stage",
    "part",
    "kind",
    "input_domain",
    "coverage",
    "commuted",
    "firing_rate_in",
    "input_sites",
    "events_in",
    "unit_spikes_in",
    "sop",
    "sop_unit_spikes",
    "sop_effective",
    "dense",
    "dense_padded",
    "mac",
    "mac_padded",
    "mac_hoisted",
    "mac_padded_hoisted",
    "driver_reads_left",
    "driver_reads_right",
    "and_operations",
    "or_operations",
    "bias_additions",
    "norm_additions",
    "norm_multiplications",
    "neuron_additions",
    "neuron_multiplications",
    "neuron_comparisons",
    "neuron_resets",
    "residual_additions",
    "pool_comparisons",
    "pool_additions",
    "multiplications",
    "spikes_out",
    "sop_std",
    "sop_low",
    "sop_high",
    "sop_rate_formula",
    "rate_formula_deviation_percent",
    "energy_uJ",
    "energy_share",
    "energy_uJ_std",
    "energy_uJ_low",
    "energy_uJ_high",
    "bytes_weights",
    "bytes_state",
    "bytes_activations",
    "firing_rate_out",
    "charged_operations",
    "charged_as",
]


def test_order_only_grows() -> None:
    assert list(LAYER_COLUMNS)[: len(FIRST_VERSION)] == FIRST_VERSION


def test_every_count_has_a_documented_column() -> None:
    assert {term.value for term in Term} <= set(LAYER_COLUMNS)
    assert all(LAYER_COLUMNS.values())


def test_every_network_has_all_columns(small_net: Graph, frames: Tensor) -> None:
    tiny = Graph()
    tiny.add("x", Input((3,), Domain.REAL, True))
    tiny.add("a", Linear(torch.ones(2, 3), None), ["x"])
    tiny.outputs = ("a",)
    for graph, batch in ((small_net, frames), (tiny, torch.ones(2, 1, 3))):
        report = estimate(Interpreter(graph), [(batch, None)])
        assert list(report.layers.columns) == list(LAYER_COLUMNS)
