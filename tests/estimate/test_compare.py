"""Against the same network without spikes: by hand, by rerunning, by changing constants."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
import torch
from rich.console import Console
from torch import Tensor

from spikeport import energy
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Conv,
    Input,
    Linear,
    MatMul,
    MaxPool,
    MeanTime,
    Op,
    Permute,
    RepeatTime,
    SumTime,
)
from spikeport.core.errors import UsageError
from spikeport.estimate import ENERGY_MODELS, Tally, Term, estimate
from spikeport.estimate.compare import break_even_rate, compare, quantised_bits
from spikeport.estimate.compare.ann import DenseNetwork
from spikeport.estimate.energy import Energies, EnergyModel

FP32 = ENERGY_MODELS["horowitz45-fp32"]
MEMORY = ENERGY_MODELS["horowitz45-memory"]
MAC, AC = Fraction("4.6"), Fraction("0.9")


def page(report: object) -> str:
    console = Console(width=100, file=io.StringIO())
    console.print(report.render())  # type: ignore[attr-defined]
    assert isinstance(console.file, io.StringIO)
    return " ".join(console.file.getvalue().split())


@pytest.mark.parametrize(
    ("steps", "bits"), [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (7, 3), (8, 4), (16, 5)]
)
def test_bits_are_the_logarithm_of_the_levels(steps: int, bits: int) -> None:
    assert quantised_bits(steps) == bits


def spikes(steps: int, events: int) -> Tensor:
    """One sample of 4 inputs with so many events, as early as possible."""
    frames = torch.zeros(steps, 1, 4)
    frames.view(-1)[:events] = 1
    return frames


def test_a_linear_layer_by_hand(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(spikes(2, 2), Domain.SPIKE, Linear(torch.ones(3, 4), torch.ones(3)))
    found = compare(Energies(tally, FP32))
    layer = found.layers["layer"]
    assert found.bits == 2
    # 2 events x 3; 12 connections; 12 products with 2 bits as 2 additions each.
    assert (layer.spiking, layer.dense, layer.quantised) == (6 * AC, 12 * MAC, 12 * 2 * AC)
    # At rate 1 it would cost 24 AC.
    assert layer.break_even == pytest.approx(float(12 * MAC / (24 * AC)))
    assert layer.break_even_quantised == pytest.approx(1.0)
    assert found.factor == pytest.approx(float(12 * MAC / (6 * AC)))
    assert found.dearer_layers() == []
    # 2 spikes on 4 inputs, each with the same fan-out.
    assert found.spikes_per_synapse == 0.5


def test_many_bits_cost_no_more_than_a_product(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(spikes(40, 10), Domain.SPIKE, Linear(torch.ones(3, 4), None))
    layer = compare(Energies(tally, FP32)).layers["layer"]
    assert 6 * AC > MAC
    assert layer.quantised == layer.dense == 12 * MAC


def test_padding_pools_and_products_of_the_network_without_spikes() -> None:
    graph = Graph()
    graph.add("image", Input((2, 4, 4), Domain.REAL, False))
    graph.add("repeat", RepeatTime(4), ["image"])
    conv = Conv(torch.ones(3, 2, 3, 3), torch.ones(3), (1, 1), (1, 1), (1, 1))
    graph.add("conv", conv, ["repeat"])
    graph.add("pool", MaxPool((2, 2), (2, 2), (0, 0)), ["conv"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["pool"])
    graph.add("spike_pool", MaxPool((2, 2), (2, 2), (0, 0)), ["lif"])
    graph.add("turned", Permute((0, 2, 1)), ["lif"])
    graph.add("product", MatMul(), ["lif", "turned"])
    graph.outputs = ("product", "spike_pool")
    dense = DenseNetwork(graph, Tally(graph).plans, FP32)
    # (3 + 4 + 3)^2 taps of 2 x 3 channels, once; 3 x 4 windows of 4; 3 x 1; 3 products 2x2x2.
    assert dense.energy("conv") == 100 * 6 * MAC
    assert dense.energy("pool") == 3 * 4 * 3 * AC
    assert dense.energy("spike_pool") == 3 * 3 * AC
    assert dense.energy("product") == 3 * 8 * MAC
    assert dense.energy("lif") == 0
    assert dense.total() == 600 * MAC + 24 * MAC + 45 * AC


@pytest.mark.parametrize("op", [MeanTime(), SumTime()])
def test_one_pass_has_no_time_to_add_up(count_chain: Callable[..., Tally], op: Op) -> None:
    tally = count_chain(torch.ones(4, 2, 5), Domain.REAL, op)
    assert tally.total("layer", Term.POOL_ADD) == 2 * 5 * 3
    dense = DenseNetwork(tally.graph, tally.plans, FP32)
    assert dense.counts["layer"] == {} and dense.total() == 0


def test_a_real_first_layer_is_dearer_by_its_steps() -> None:
    graph = Graph()
    graph.add("image", Input((4,), Domain.REAL, False))
    graph.add("repeat", RepeatTime(4), ["image"])
    graph.add("first", Linear(torch.ones(3, 4), None), ["repeat"])
    graph.outputs = ("first",)
    tally = Tally(graph)
    tally.run(Interpreter(graph), torch.ones(2, 4))
    found = compare(Energies(tally, FP32))
    assert found.layers["first"].spiking == 4 * found.layers["first"].dense
    assert found.dearer_layers() == ["first"]
    assert found.layers["first"].break_even is None and found.factor is None
    assert found.tornado[0].flips_at is None
    hoisted = compare(Energies(tally, FP32, "hoisted"))
    assert hoisted.dearer_layers() == []


def test_memory_of_the_network_without_spikes(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(spikes(4, 2), Domain.SPIKE, Linear(torch.ones(3, 4), None))
    plans = tally.plans
    full = DenseNetwork(tally.graph, plans, MEMORY)
    # Weight and operand per product and 3 outputs, all at 8 KB: 10 pJ per 64 bits.
    assert full.energy("layer") == 12 * MAC + (12 + 12 + 3) * 5
    few = DenseNetwork(tally.graph, plans, MEMORY, bits=3)
    assert few.energy("layer") == 12 * 3 * AC + 12 * 5 + (12 + 3) * Fraction(30, 64)


@pytest.mark.parametrize("name", ["horowitz45-fp32", "horowitz45-memory", "lemaire2022"])
def test_break_even_is_where_the_energies_meet(
    count_chain: Callable[..., Tally], name: str
) -> None:
    op, model = Linear(torch.ones(3, 4), None), ENERGY_MODELS[name]

    def spent(events: int) -> Fraction:
        return Energies(count_chain(spikes(4, events), Domain.SPIKE, op), model).total("layer")

    # What 12 of 16 elements cost is met at a rate of 12 / 16, whatever was measured.
    for measured in (1, 5, 16):
        energies = Energies(count_chain(spikes(4, measured), Domain.SPIKE, op), model)
        assert break_even_rate(energies, "layer", spent(12)) == pytest.approx(12 / 16)


def test_break_even_of_coincidences() -> None:
    graph = Graph()
    graph.add("x", Input((4, 4), Domain.SPIKE, True))
    graph.add("turned", Permute((1, 0)), ["x"])
    graph.add("layer", MatMul(), ["x", "turned"])
    graph.outputs = ("layer",)

    def energies(every: int) -> Energies:
        # A pattern whose coincidences grow with the square: whole columns.
        frames = torch.zeros(1, 1, 4, 4)
        frames[..., :every] = 1
        return Energies(Tally.over(Interpreter(graph), [frames]), FP32)

    # One column: 16 coincidences at rate 1/4. Four times the energy is twice the rate.
    found = energies(1)
    assert found.total("layer") == 16 * AC
    assert break_even_rate(found, "layer", 4 * 16 * AC) == pytest.approx(0.5)


def test_layers_without_events_or_below_their_fixed_cost(
    count_chain: Callable[..., Tally],
) -> None:
    op = Linear(torch.ones(3, 4), torch.ones(3))
    silent = Energies(count_chain(spikes(4, 0), Domain.SPIKE, op), FP32)
    assert break_even_rate(silent, "layer", Fraction(1)) is None
    # Biases are read at each step, event or none.
    biased = Energies(count_chain(spikes(4, 3), Domain.SPIKE, op), MEMORY)
    assert break_even_rate(biased, "layer", Fraction(1, 1000)) == 0.0


def changed(model: EnergyModel, name: str, factor: str) -> EnergyModel:
    data = model.model_dump()
    data["constants"][name]["value"] *= Decimal(factor)
    return EnergyModel.model_validate(data)


@pytest.mark.parametrize("name", ["horowitz45-fp32", "horowitz45-memory", "lemaire2022"])
def test_tornado_is_what_changed_constants_give(
    small_net: Graph, frames: Tensor, name: str
) -> None:
    model = ENERGY_MODELS[name]
    tally = Tally.over(Interpreter(small_net), [frames])
    found = compare(Energies(tally, model))

    def ratio(model: EnergyModel) -> float:
        again = compare(Energies(tally, model))
        return float(again.total("spiking") / again.total("dense"))

    assert found.tornado
    for each in found.tornado:
        assert each.at_half == pytest.approx(ratio(changed(model, each.constant, "0.5")))
        assert each.at_double == pytest.approx(ratio(changed(model, each.constant, "2")))
        if each.flips_at is not None:
            at_flip = changed(model, each.constant, f"{each.flips_at:.15f}")
            assert ratio(at_flip) == pytest.approx(1)
    swings = [each.swing for each in found.tornado]
    assert swings == sorted(swings, reverse=True)


def test_a_model_without_a_multiply_accumulate_compares_nothing(
    small_net: Graph, frames: Tensor
) -> None:
    report = estimate(Interpreter(small_net), [(frames, None)], "truenorth-merolla")
    assert report.comparison is None
    assert "no price for a multiply-accumulate" in page(report)
    assert report.as_dict()["comparison"] is None
    assert report.layers["ann_energy_uJ"].isna().all()
    with pytest.raises(UsageError, match="horowitz45-fp32"):
        compare(report.energies)


def test_report_says_what_no_rate_changes(count_chain: Callable[..., Tally]) -> None:
    few = energy(count_chain(spikes(2, 2), Domain.SPIKE, Linear(torch.ones(3, 4), None)))
    assert "cheaper at any rate" in page(few)
    # Biases are read at each step: with so small weights they alone cost more than one pass.
    op = Linear(torch.ones(30, 1), torch.ones(30))
    frames = torch.zeros(99, 1, 1)
    frames[0] = 1
    assert "dearer at any rate" in page(energy(count_chain(frames, Domain.SPIKE, op), MEMORY))


def test_notes_of_every_model_are_shown(small_net: Graph, frames: Tensor) -> None:
    report = estimate(Interpreter(small_net), [(frames, None)], ["horowitz45-fp32", "step2025"])
    assert "The unit of the memory figure is ambiguous" in page(report)


def test_report_shows_accuracy_beside_energy(small_net: Graph, frames: Tensor) -> None:
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    report = estimate(Interpreter(small_net), [(frames, labels)])
    shown = page(report)
    assert report.accuracy is not None and report.comparison is not None
    assert "spiking, T = 4" in shown and "ANN, 3-bit activations" in shown
    assert f"{100 * report.accuracy.top1:.2f}" in shown
    assert "Break-even" in shown and "flips at x" in shown and "neither was trained" in shown
    assert "2409.08290" in shown
    found = report.as_dict()["comparison"]
    assert found["spiking_energy_uJ"] == pytest.approx(report.totals["energy_uJ"])
    layers = report.layers
    assert layers["ann_energy_uJ"].sum() == pytest.approx(found["dense_energy_uJ"])
    assert layers["quantised_ann_energy_uJ"].sum() == pytest.approx(found["quantised_energy_uJ"])
    rates = layers.set_index("node")["break_even_rate"]
    assert rates["conv2"] > 0
    assert rates.isna()["lif1"]
    assert energy(report.tally).comparison == report.comparison
