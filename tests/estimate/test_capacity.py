"""Capacity: figures of layers by hand and by loops, bounds of chips, what overflows."""

from __future__ import annotations

import io
import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, Conv, Input, Linear, MaxPool, Reshape
from spikeport.estimate import CHIPS, estimate, fit_chips
from spikeport.estimate.capacity import Chip, needs, parse_chip
from spikeport.estimate.capacity.layer_per_core import words
from spikeport.estimate.capacity.render import render_capacity

ALL = ("loihi1", "loihi2", "speck", "truenorth")


def conv(out: int, into: int, kernel: int, padding: int = 0, groups: int = 1) -> Conv:
    weight = torch.ones(out, into // groups, kernel, kernel)
    return Conv(weight, torch.ones(out), (1, 1), (padding, padding), (1, 1), groups)


def chain(shape: tuple[int, ...], *ops: object) -> Graph:
    graph, last = Graph(), "x"
    graph.add("x", Input(shape, Domain.SPIKE, True))
    for index, op in enumerate(ops):
        graph.add(f"n{index}", op, [last])  # type: ignore[arg-type]
        last = f"n{index}"
    graph.outputs = (last,)
    return graph


LIF_ = LIF(2.0, True, 1.0, 0.0)


def test_figures_by_hand() -> None:
    found = needs(
        chain((2, 3, 3), conv(4, 2, 3, 1), LIF_, Reshape((36,)), Linear(torch.ones(5, 36), None))
    )
    first, neurons, head = found.layers
    # 3 x 3 kernel on 3 x 3 with padding 1: (2 + 3 + 2)^2 taps, 2 x 4 channels.
    assert (first.synapses, first.weights, first.inputs, first.fan_in) == (49 * 8, 72, 18, 18)
    assert (neurons.neurons, neurons.state_bytes) == (36, 4 * 36)
    assert (head.neurons, head.synapses, head.weights) == (5, 180, 180)
    assert first.weight_bytes(8) == 72 and first.weight_bytes(3) == 27
    # x and the neurons, each once; only the neurons send.
    assert (found.sources, found.senders) == (18 + 36, 36)
    assert not found.left_out


@given(
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.integers(1, 3),
    st.integers(0, 2),
    st.sampled_from([1, 2]),
)
@settings(max_examples=30, deadline=None)
def test_synapses_against_loops(
    size: tuple[int, int], kernel: int, padding: int, groups: int
) -> None:
    if min(size) + 2 * padding < kernel:
        return
    op = conv(4, 2, kernel, padding, groups)
    graph = chain((2, *size), op)
    out = graph["n0"].shape
    pairs = sum(
        0 <= row + i - padding < size[0] and 0 <= column + j - padding < size[1]
        for row, column, i, j in itertools.product(
            range(out[1]), range(out[2]), range(kernel), range(kernel)
        )
    )
    assert needs(graph).layers[0].synapses == pairs * 4 * 2 // groups


def test_one_read_by_two_is_one_source() -> None:
    graph = Graph()
    graph.add("x", Input((6,), Domain.SPIKE, True))
    graph.add("a", Linear(torch.ones(3, 6), None), ["x"])
    graph.add("b", Linear(torch.ones(3, 6), None), ["x"])
    graph.outputs = ("a", "b")
    assert needs(graph).sources == 6


def small_chip(**limits: int) -> Chip:
    def figure(table: str, value: int) -> str:
        return (
            f'[{table}]\nvalue = {value}\nunit = "things"\nmeaning = "m"\nsource = "s"\n'
            'status = "derived"\nverified = true\n'
        )

    text = 'id = "tiny"\ntitle = "Tiny"\nplacement = "shared_cores"\n'
    text += figure("cores", 3) + figure("weight_bits", 4)
    return parse_chip(
        text + "".join(figure(f"per_core.{name}", n) for name, n in limits.items()), "tiny.toml"
    )


@pytest.mark.parametrize(
    ("limits", "cores", "bound_by"),
    [
        # 10 LIF + 4 outputs; 10 x 12 + 4 x 10 weights of 4 bits: 60 + 20 bytes; 12 + 10 sources.
        ({"neurons": 5}, 3, "neurons"),
        ({"neurons": 100, "synaptic_memory": 41}, 2, "bytes of weights"),
        ({"neurons": 100, "synapses": 50}, 4, "synapses"),
        ({"neurons": 100, "input_axons": 12}, 2, "input axons"),
        ({"neurons": 100, "output_axons": 3}, 4, "output axons"),
        ({"neurons": 1000}, 1, "neurons"),
    ],
)
def test_bound_of_shared_cores(limits: dict[str, int], cores: int, bound_by: str) -> None:
    graph = chain((12,), Linear(torch.ones(10, 12), None), LIF_, Linear(torch.ones(4, 10), None))
    (fit,) = fit_chips(graph, [small_chip(**limits)]).fits
    assert (fit.cores, fit.bound_by) == (cores, bound_by)
    assert fit.ruled_out is (cores > 3)
    assert fit.verdict.startswith("does not fit" if cores > 3 else "not ruled out")
    assert f"at least {cores} core{'s' if cores > 1 else ''} of 3" in fit.verdict
    assert fit.chips == -(-cores // 3)


def test_a_neuron_with_more_inputs_than_axons_is_named() -> None:
    graph = chain((12,), Linear(torch.ones(1, 12), None))
    (fit,) = fit_chips(graph, [small_chip(neurons=10, input_axons=10)]).fits
    assert fit.ruled_out
    assert [str(each) for each in fit.overflows] == ["n0: inputs of one neuron 12 of 10"]
    assert "1 limit of a core exceeded" in fit.verdict


def test_an_answer_in_thousands() -> None:
    # 1,597,696 neurons on cores of 1,024.
    graph = chain((1, 1264, 1264), conv(1, 1, 1), LIF_)
    (fit,) = fit_chips(graph, ["loihi1"]).fits
    assert fit.verdict == (
        "does not fit: needs at least 1,561 cores of 128 (neurons; at least 13 chips)"
    )


def test_words_of_speck() -> None:
    graph = chain(
        (3, 10, 9), conv(5, 3, 3), LIF_, Reshape((280,)), Linear(torch.ones(10, 280), None)
    )
    # c 2^(ceil log2 9 + ceil log2 5) = 3 x 2^(4 + 3); f 2^(ceil log2 8 + ceil log2 7) = 5 x 2^6.
    assert words(graph["n0"]).model_dump() == {"kernel": 384, "neuron": 320}
    assert words(graph["n3"]).model_dump() == {"kernel": 280 * 16, "neuron": 10}
    (fit,) = fit_chips(graph, ["speck"]).fits
    assert (fit.cores, fit.ruled_out) == (2, False)


def test_layers_of_speck_compete_for_cores() -> None:
    # 64 x 2^(0 + 9) = 32,768 kernel words: too many for 16 Ki. 4 cores have 32 Ki or more.
    wide = [layer for _ in range(5) for layer in (conv(512, 64, 1), LIF_, conv(64, 512, 1), LIF_)]
    (fit,) = fit_chips(chain((64, 1, 1), *wide[:4]), ["speck"]).fits
    assert not fit.ruled_out
    (fit,) = fit_chips(chain((64, 1, 1), *wide[:12]), ["speck"]).fits
    assert fit.cores == 6
    assert fit.ruled_out
    assert str(fit.overflows[0]) == "network: layers on cores with memory for them 6 of 4"


def test_a_layer_larger_than_every_core_of_speck() -> None:
    (fit,) = fit_chips(chain((2, 128, 128), conv(8, 2, 3, 1), LIF_), ["speck"]).fits
    assert fit.layers[0].cores == 2 and fit.layers[0].bound_by == "neuron memory"
    assert str(fit.overflows[0]) == "n0: neuron memory words 131,072 of 65,536"


def test_what_has_no_counterpart_is_named() -> None:
    graph = chain((2, 4, 4), conv(4, 2, 1), MaxPool((2, 2), (2, 2), (0, 0)), LIF_)
    assert needs(graph).left_out == ("n1",)
    spikes = chain((2, 4, 4), MaxPool((2, 2), (2, 2), (0, 0)), conv(4, 2, 1), LIF_)
    assert needs(spikes).left_out == ()


def test_shipped_chips_tell_their_sources() -> None:
    assert tuple(CHIPS) == ALL
    for chip in CHIPS.values():
        assert all("unverified" in line for line in chip.describe())
    assert CHIPS["loihi2"].cores_per_chip == 120
    assert CHIPS["truenorth"].per_core["synapses"].count == 256 * 256
    assert CHIPS["loihi1"].per_core["synaptic_memory"].count == 128 * 1024
    memories = [(each.kernel // 1024, each.neuron // 1024) for each in CHIPS["speck"].memories]
    assert memories == [(16, 64)] * 3 + [(32, 32)] * 2 + [(64, 16)] * 2 + [(16, 16)] * 2


def test_report_shows_records_and_static_floor(small_net: Graph, frames: torch.Tensor) -> None:
    report = estimate(Interpreter(small_net), [(frames, None)], chips=ALL)
    assert report.capacity is not None
    console = Console(width=100, file=io.StringIO())
    console.print(render_capacity(report.capacity))
    assert isinstance(console.file, io.StringIO)
    page = " ".join(console.file.getvalue().split())
    for expected in ("calibration record, not a model", "1.661 mJ", "static power = 0.42 mW"):
        assert expected in page
    assert "lower bounds" in page and "unverified" in page
    found = report.as_dict()["capacity"]
    assert [each["id"] for each in found["chips"]] == list(ALL)
    assert found["totals"]["neurons"] == report.capacity.needs.total("neurons")
    layers = report.capacity.layers
    assert layers["neurons"].sum() == 4 * 36 + 5 + 3
    assert list(layers.columns)[:10] == [
        *("node", "path", "kind", "neurons", "synapses", "weights", "weight_bytes"),
        *("state_bytes", "inputs", "fan_in"),
    ]
    assert {f"cores[{name}]" for name in ALL} <= set(layers.columns)
