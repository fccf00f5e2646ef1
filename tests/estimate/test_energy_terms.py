"""Formula terms against cells computed by hand: memory, neuron updates, hops, static power."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction

import pytest
import torch
from rich.console import Console

from spikeport import energy
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import IF, LIF, Conv, Input, Linear, MatMul, Permute
from spikeport.core.errors import FileError, UsageError
from spikeport.estimate import ENERGY_MODELS, Tally, Term, estimate
from spikeport.estimate.energy import Energies, EnergyModel, parse_energy_model
from spikeport.estimate.energy.memory import Memory

HEAD = """
id = "mine"
title = "Mine"
technology = "none"
precision = "int8"
weight_bits = 8
state_bits = 16
graded_events = "events"
includes = ["all"]
excludes = ["static power"]
"""


def constant(name: str, value: str, unit: str = "pJ") -> str:
    return (
        f'[constants.{name}]\nvalue = {value}\nunit = "{unit}"\nmeaning = "m"\n'
        'source = "s"\nstatus = "derived"\nverified = true\n'
    )


def sourced(table: str, value: str, unit: str, more: str = "") -> str:
    return (
        f'[{table}]\nvalue = {value}\nunit = "{unit}"\nmeaning = "m"\nsource = "s"\n'
        f'status = "derived"\nverified = false\n{more}\n'
    )


def model(*parts: str) -> EnergyModel:
    return parse_energy_model(HEAD + "\n".join(parts), "mine.toml")


def spiking_pair() -> Tally:
    """4 spike inputs -> 3 LIF and then 2 IF neurons over T = 2 steps, one sample."""
    graph = Graph()
    graph.add("x", Input((4,), Domain.SPIKE, True))
    graph.add("a", Linear(torch.ones(3, 4), None), ["x"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["a"])
    graph.add("b", Linear(torch.ones(2, 3), torch.ones(2)), ["lif"])
    graph.add("if", IF(1.0, 0.0), ["b"])
    graph.outputs = ("if",)
    # Two events at the first step (current 2, membrane 1: fires), none at the second.
    frames = torch.zeros(2, 1, 4)
    frames[0, 0, :2] = 1
    return Tally.over(Interpreter(graph, torch.float64), [frames])


def test_neuron_updates_by_kind() -> None:
    priced = model(
        constant("lif", "5"),
        constant("if", "3"),
        '[[charges]]\ncount = "neuron_updates"\nconstant = "lif"\nkinds = ["lif"]',
        '[[charges]]\ncount = "neuron_updates"\nconstant = "if"\nkinds = ["if"]',
    )
    energies = Energies(spiking_pair(), priced)
    assert energies.total("lif") == 5 * 3 * 2
    assert energies.total("if") == 3 * 2 * 2
    assert energies.total("a") == 0
    # What an update stands for is charged with it.
    assert not {Term.NEURON_ADD, Term.NEURON_RESET} & set(energies.uncharged())


def test_spikes_and_hops() -> None:
    counts = spiking_pair()
    assert counts.total("lif", Term.SPIKES_OUT) == 3
    priced = model(
        constant("spike", "7"),
        constant("hop", "3"),
        '[[charges]]\ncount = "spikes_out"\nconstant = "spike"',
        '[[charges]]\ncount = "spikes_out"\nconstant = "hop"\nhops = "east_west"',
        sourced("routing.east_west", "2.5", "hops per spike"),
    )
    assert Energies(counts, priced).total("lif") == 3 * (7 + Fraction("2.5") * 3)
    assert any("east-west = 2.5" in line for line in priced.describe())


MEMORY = """
[memory]
word_bits = 64
between = "{}"
[[memory.sizes]]
bytes = 10
constant = "small"
[[memory.sizes]]
bytes = 20
constant = "large"
"""


@pytest.mark.parametrize(
    ("size", "between", "shares"),
    [
        (4, "next", {"small": Fraction(1, 8)}),
        (10, "linear", {"small": Fraction(1, 8)}),
        (11, "next", {"large": Fraction(1, 8)}),
        (15, "linear", {"small": Fraction(1, 16), "large": Fraction(1, 16)}),
        (20, "linear", {"small": 0, "large": Fraction(1, 8)}),
        (99, "linear", {"large": Fraction(1, 8)}),
    ],
)
def test_price_by_size(size: int, between: str, shares: dict[str, Fraction]) -> None:
    memory = Memory.model_validate(
        {
            "word_bits": 64,
            "between": between,
            "sizes": [{"bytes": 10, "constant": "small"}, {"bytes": 20, "constant": "large"}],
        }
    )
    assert memory.weights(size, 8) == shares
    assert memory.holds(size) is (size <= 20)


def test_memory_of_a_tiny_layer() -> None:
    accesses = "\n".join(
        f'[[charges]]\ncount = "{count}"\nmemory = "{store}"'
        for count, store in (
            ("weight_reads", "weights"),
            ("potential_accesses", "potentials"),
            ("input_reads", "input"),
            ("output_writes", "output"),
        )
    )
    priced = model(constant("small", "8"), constant("large", "80"), accesses, MEMORY.format("next"))
    energies = Energies(spiking_pair(), priced)
    # a: 2 events, 6 SOP. Weights 12 bytes -> large, 8 of 64 bits: 10 pJ each. Potentials 3 x 2
    # bytes -> small, 16 of 64 bits: 2 pJ, read and written. Inputs 4 bits -> small, 1 pJ each.
    assert energies.total("a") == 6 * 10 + 12 * 2 + 2 * 1
    # lif: 3 neurons, 2 steps, state 6 bytes; 3 spikes written.
    assert energies.total("lif") == 2 * 6 * 2 + 3 * 1
    # b: 3 events, 6 SOP, 2 biases at each of 2 steps; weights 8 bytes -> small.
    assert energies.total("b") == (6 + 4) * 1 + 12 * 2 + 3 * 1
    assert not energies.notes()


def test_memory_larger_than_the_table_is_told(count_chain: Callable[..., Tally]) -> None:
    x = torch.ones(1, 1, 600)
    tally = count_chain(x, Domain.SPIKE, Linear(torch.ones(600, 600), None))
    (note,) = Energies(tally, ENERGY_MODELS["horowitz45-memory"]).notes()
    assert "larger than the largest" in note
    small = count_chain(x, Domain.SPIKE, Linear(torch.ones(6, 600), None))
    assert not Energies(small, ENERGY_MODELS["horowitz45-memory"]).notes()
    # One price for every size is no table that a memory could be beyond.
    assert not Energies(tally, ENERGY_MODELS["step2025"]).notes()


def test_lemaire_by_hand(count_chain: Callable[..., Tally]) -> None:
    # 1 x 1 convolution, 2 -> 3 channels on 2 x 2: 8 sites, all events, one step.
    op = Conv(torch.ones(3, 2, 1, 1), None, (1, 1), (0, 0), (1, 1))
    tally = count_chain(torch.ones(1, 1, 2, 2, 2), Domain.SPIKE, op)
    energies = Energies(tally, ENERGY_MODELS["lemaire2022"])
    sop, events = 24, 8
    operations = Fraction("0.1") * sop
    addresses = Fraction("0.1") * sop + Fraction("6.4") * events
    memory = 10 * (sop + 2 * sop + events)  # everything is below 8 KB
    assert energies.total("layer") == operations + addresses + memory


def test_real_input_reads_per_multiply_accumulate(count_chain: Callable[..., Tally]) -> None:
    op = Linear(torch.ones(3, 4), None)
    tally = count_chain(torch.ones(2, 1, 4), Domain.REAL, op)
    energies = Energies(tally, ENERGY_MODELS["horowitz45-memory"])
    macs, outputs = 24, 6
    # 32 of 64 bits at 8 KB: 5 pJ for each weight, operand and output; no potentials.
    assert energies.total("layer") == macs * Fraction("4.6") + 5 * (2 * macs + outputs)


def test_memory_of_a_product_of_activations() -> None:
    graph = Graph()
    graph.add("x", Input((3, 2), Domain.SPIKE, True))
    graph.add("turned", Permute((1, 0)), ["x"])
    graph.add("layer", MatMul(), ["x", "turned"])
    graph.outputs = ("layer",)
    frames = torch.zeros(1, 1, 3, 2)
    frames[0, 0, 0] = 1  # 2 events on the left, 2 on the right, 2 coincidences
    energies = Energies(
        Tally.over(Interpreter(graph), [frames]), ENERGY_MODELS["horowitz45-memory"]
    )
    reads = 4 + 2 * 3  # each event once; each left event meets 3 columns
    assert energies.total("layer") == 2 * Fraction("0.9") + 5 * (reads + 2 * 2)


def test_static_power_is_a_term_of_its_own() -> None:
    charge = '[[charges]]\ncount = "sop"\nconstant = "op"'
    power = sourced("static.power", "2", "mW")
    latency = sourced("static.latency", "3", "us", 'per = "step"')
    with_latency = energy(spiking_pair(), model(constant("op", "1"), charge, power, latency))
    # 2 mW x 3 us x 2 steps = 12 nJ.
    assert with_latency.static_picojoule == 12_000
    assert with_latency.picojoule == 6 + 6
    assert with_latency.as_dict()["energy_models"][0]["static_energy_uJ"] == pytest.approx(0.012)
    console = Console(width=100, file=io.StringIO())
    console.print(with_latency.render())
    assert isinstance(console.file, io.StringIO)
    (row,) = (r for r in console.file.getvalue().splitlines() if "static power x latency" in r)
    assert "0.01200" in row
    without = energy(spiking_pair(), model(constant("op", "1"), charge, power))
    assert without.static_picojoule is None
    assert without.model.left_out[-1] == "static energy (no latency is given)"


def test_dense_hardware_skips_nothing() -> None:
    report = energy(spiking_pair(), "ann-gpu")
    # 12 + 6 connections, 2 steps, 300 pJ.
    assert report.picojoule == 300 * 18 * 2


def test_charged_operations_show_the_arithmetic(count_chain: Callable[..., Tally]) -> None:
    x = torch.tensor([3.0, 0.0, 1.0]).reshape(1, 1, 3)
    tally = count_chain(x, Domain.GRADED, Linear(torch.ones(2, 3), None))
    row = energy(tally).layers.set_index("node").loc["layer"]
    assert (row["sop"], row["charged_operations"]) == (4, 8)
    assert row["charged_as"] == "sop_unit_spikes x 0.9 pJ"
    assert row["energy_uJ"] == pytest.approx(8 * 0.9e-6)


@pytest.mark.parametrize(("name", "width"), [("horowitz45-fp32", 4), ("horowitz45-int8", 1)])
def test_bytes_follow_the_precision_of_the_model(name: str, width: int) -> None:
    counts = spiking_pair()
    totals = energy(counts, name).totals
    assert totals["bytes_weights"] == width * (12 + 6 + 2)
    assert totals["bytes_state"] == width * (3 + 2)
    # A chip whose widths the source does not tell: as the graph stores them.
    assert energy(counts, "truenorth-merolla").totals["bytes_weights"] == 4 * 20


def test_several_models_on_one_count(small_net: Graph, frames: torch.Tensor) -> None:
    names = ["horowitz45-fp32", "loihi1-sanafe", "horowitz45-int8"]
    report = estimate(Interpreter(small_net), [(frames, None)], names)
    layers = report.layers
    assert list(layers.columns[-2:]) == [f"energy_uJ[{name}]" for name in names[1:]]
    found = report.as_dict()["energy_models"]
    assert [each["id"] for each in found] == names
    for name, each in zip(names, found, strict=True):
        alone = energy(report.tally, name)
        assert each["energy_uJ"] == pytest.approx(alone.totals["energy_uJ"])
        assert each["unverified_constants"] == alone.model.unverified
    assert layers["energy_uJ[loihi1-sanafe]"].sum() == pytest.approx(found[1]["energy_uJ"])


def test_sums_by_constant_are_the_energy() -> None:
    for name, shipped in ENERGY_MODELS.items():
        energies = Energies(spiking_pair(), shipped)
        by_constant = sum(
            units * shipped.constants[key].picojoule
            for key, units in energies.by_constant().items()
        )
        total = sum(energies.total(node.name) for node in energies.tally.graph)
        assert by_constant == total, name
        assert total > 0, name


def test_refusals(small_net: Graph) -> None:
    with pytest.raises(UsageError, match="asked for twice"):
        estimate(Interpreter(small_net), [], ["horowitz45-fp32", "horowitz45-fp32"])
    with pytest.raises(UsageError, match="no sample"):
        energy(Tally(small_net))
    with pytest.raises(FileError, match="ascend"):
        model(
            constant("small", "1"),
            constant("large", "1"),
            '[[charges]]\ncount = "sop"\nconstant = "small"',
            MEMORY.format("next").replace("bytes = 20", "bytes = 5"),
        )
    with pytest.raises(FileError, match="weight_bits"):
        parse_energy_model(
            HEAD.replace("weight_bits = 8\n", "")
            + constant("small", "1")
            + constant("large", "1")
            + '[[charges]]\ncount = "weight_reads"\nmemory = "weights"\n'
            + MEMORY.format("next"),
            "mine.toml",
        )
    with pytest.raises(FileError, match=r"static\.power\.unit"):
        model(
            constant("op", "1"),
            '[[charges]]\ncount = "sop"\nconstant = "op"',
            sourced("static.power", "2", "pJ"),
        )
