"""Scales, biases, head-room and the report."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    IF,
    LIF,
    Add,
    Conv,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Mean,
    Neuron,
    Scale,
    Sum,
)
from spikeport.core.errors import UsageError
from spikeport.targets.lava import IntegerExecutor, LoweringOptions, Severity, lower
from spikeport.targets.lava.limits import CURRENT_LIMIT
from spikeport.targets.lava.ops import LavaLIF, LavaMean, LavaShift
from spikeport.targets.lava.quantise.biases import as_bias
from spikeport.targets.lava.rules.synapses import channel_exponents, quantised

UNIT = Fraction(1, 64)


def one_layer(op, shape=(2, 3, 3), *, domain=Domain.SPIKE, neuron=None):
    graph = Graph(outputs=("lif",))
    graph.add("input", Input(shape, domain, per_step=True))
    graph.add("layer", op, ("input",), path="net.layer")
    graph.add("lif", neuron or LIF(2.0, True, 1.0, 0.0), ("layer",), path="net.lif")
    return graph


def conv(weight, bias=None):
    return Conv(torch.as_tensor(weight), bias, (1, 1), (1, 1), (1, 1))


def test_channel_exponents_are_the_largest_that_fit():
    weight = torch.tensor([[1.0], [0.99], [127.0], [128.0], [1e-3], [0.0]])
    exponents = channel_exponents(weight, 8)
    assert exponents.tolist() == [6, 7, 0, -1, 16, 16]
    for w, e in zip(weight[:5, 0].tolist(), exponents.tolist(), strict=False):
        assert w * 2.0**e <= 127 < w * 2.0 ** (e + 1)


@pytest.mark.parametrize("bits", [4, 6, 8, 12, 16])
def test_quantised_weights_fit_their_bits(bits):
    torch.manual_seed(0)
    weight = torch.randn(6, 5, 3, 3) * torch.logspace(-2, 1, 6).reshape(-1, 1, 1, 1)
    own = channel_exponents(weight, bits)
    whole = quantised(weight, bits, int(own.max()))
    assert whole.dtype == torch.int32
    mantissa = whole / 2.0 ** (own.max() - own).reshape(-1, 1, 1, 1)
    assert torch.equal(mantissa, mantissa.round())
    assert mantissa.abs().max() <= 2 ** (bits - 1) - 1
    error = (mantissa / 2.0 ** own.reshape(-1, 1, 1, 1) - weight).abs()
    assert (error <= 0.5 / 2.0 ** own.reshape(-1, 1, 1, 1)).all()


@pytest.mark.parametrize(
    ("neuron", "dv", "gain"),
    [
        (LIF(2.0, True, 1.0, 0.0), 2048, 2.0),
        (LIF(4.0, True, 0.5, 0.0), 1024, 2.0),
        (LIF(2.0, False, 1.0, 0.0), 2048, 1.0),
        (IF(1.0, 0.0), 0, 1.0),
    ],
)
def test_threshold_and_decay(neuron, dv, gain):
    graph = one_layer(conv(torch.full((1, 2, 1, 1), 0.7)), neuron=neuron)
    artefact = lower(graph)
    op = artefact.graph["lif"].op
    k = artefact.graph.metadata["lava"]["exponents"]["layer"]
    assert isinstance(op, LavaLIF)
    assert (op.du, op.dv) == (4095, dv)
    assert op.vth == gain * 2**k - 1


@pytest.mark.parametrize(
    "neuron",
    [LIF(2.0, True, 1.0, 0.0), LIF(4.0, True, 1.0, 0.0), LIF(2.0, False, 1.0, 0.0), IF(1.0, 0.0)],
)
def test_fixed_point_neurons_follow_the_float_ones(neuron):
    torch.manual_seed(1)
    graph = one_layer(conv(torch.randn(8, 2, 3, 3) * 0.8, torch.randn(8) * 0.2), neuron=neuron)
    frames = torch.bernoulli(torch.full((12, 40, 2, 3, 3), 0.5))
    artefact = lower(graph, frames, options=LoweringOptions(weight_bits=16))
    want = Interpreter(graph, torch.float64).run(frames)
    got = artefact.executor(check_values=True).run(frames)
    assert 0.05 < float(want.mean()) < 0.95
    assert float((want != got).double().mean()) < 2e-3


def test_bias_takes_the_finest_step_that_fits_the_chip():
    exact = as_bias(torch.tensor([0.5, -0.25]).reshape(2, 1, 1).expand(2, 4, 4), UNIT)
    assert exact.mantissa.shape == (2, 1, 1)
    assert exact.mantissa.flatten().tolist() == [2048, -1024]
    assert exact.exponent == 0
    large = as_bias(torch.tensor([100.0]), UNIT)
    assert large.exponent == 7
    assert large.mantissa.tolist() == [3200]
    assert large.fits_chip
    beyond = as_bias(torch.tensor([1000.0]), UNIT)
    assert beyond.fits
    assert not beyond.fits_chip
    assert not as_bias(torch.tensor([20_000.0]), UNIT).fits
    assert as_bias(torch.zeros(3), UNIT).mantissa is None


def test_biases_add_up_along_the_stream(max_former):
    graph, float_graph = max_former.artefact.graph, max_former.graph
    op = graph["fc_lif"].op
    k = graph.metadata["lava"]["exponents"]["mixed"]
    total = sum(float_graph[name].op.bias.double() for name in ("main", "shortcut", "mixer"))
    got = op.bias_mant.flatten().double() * 2**op.bias_exp / 2 ** (k + 6)
    assert torch.allclose(got, total, atol=2**op.bias_exp / 2 ** (k + 6))


def test_streams_share_one_exponent(max_former):
    exponents = max_former.artefact.graph.metadata["lava"]["exponents"]
    stream = [
        "main",
        "main_pool",
        "shortcut",
        "stream",
        "mixer",
        "mixed",
        "fc",
        "mlp",
        "proj",
        "unflat",
        "attended",
        "mean",
    ]
    assert len({exponents[name] for name in stream}) == 1
    assert exponents["scaled"] == 3
    assert exponents["vkq"] == 0


def test_counts_are_shifted_before_they_are_compared(max_former):
    graph = max_former.artefact.graph
    assert "scaled" not in graph
    shift = graph[graph["attn_lif"].inputs[0]]
    assert shift.op == shift.op
    assert isinstance(shift.op, LavaShift)
    assert shift.op.bits == 6
    assert graph["attn_lif"].op.vth == 8 * 2**6 - 1


def test_mean_of_currents_is_a_rounded_shift(max_former):
    op = max_former.artefact.graph["mean"].op
    assert isinstance(op, LavaMean)
    assert op.count((8, 4, 4)) == 16
    x = torch.tensor([[[3.0, 0.0], [0.0, 0.0]], [[-3.0, 1.0], [0.0, 0.0]]])
    assert LavaMean((1, 2)).apply(x[None]).tolist() == [[1.0, 0.0]]
    whole = LavaMean((1, 2)).apply(x[None].long())
    assert whole.tolist() == [[1, 0]]


def test_mean_of_spikes_is_an_exact_sum():
    graph = Graph(outputs=("lif",))
    graph.add("input", Input((2, 4, 4), Domain.SPIKE, per_step=True))
    graph.add("mean", Mean((1, 2)), ("input",))
    graph.add("lif", LIF(2.0, True, 0.25, 0.0), ("mean",))
    frames = torch.bernoulli(torch.full((6, 50, 2, 4, 4), 0.3), generator=torch.Generator())
    artefact = lower(graph, frames)
    assert isinstance(artefact.graph["mean"].op, Sum)
    got, want = (x.run(frames) for x in (artefact.executor(), Interpreter(graph, torch.float64)))
    assert 0 < float(want.mean()) < 1
    assert float((got != want).double().mean()) < 0.02


def test_scaled_inputs_of_a_layer_are_folded_into_its_weights():
    graph = Graph(outputs=("lif",))
    graph.add("input", Input((4,), Domain.GRADED, per_step=True))
    graph.add("scaled", Scale(0.5), ("input",))
    graph.add("layer", Linear(torch.randn(3, 4), None), ("scaled",))
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ("layer",))
    frames = torch.poisson(torch.ones(10, 20, 4))
    artefact = lower(graph, frames, options=LoweringOptions(weight_bits=16))
    got, want = (x.run(frames) for x in (artefact.executor(), Interpreter(graph, torch.float64)))
    assert float((got != want).double().mean()) < 0.01


def test_counts_may_join_a_stream():
    graph = Graph(outputs=("lif",))
    graph.add("input", Input((2, 4, 4), Domain.SPIKE, per_step=True))
    graph.add("conv", conv(torch.randn(2, 2, 3, 3)), ("input",))
    graph.add("sum", Add(), ("conv", "input"))
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ("sum",))
    frames = torch.bernoulli(torch.full((6, 50, 2, 4, 4), 0.4))
    artefact = lower(graph, frames, options=LoweringOptions(weight_bits=16))
    k = artefact.graph.metadata["lava"]["exponents"]["conv"]
    assert artefact.graph[f"input.shift_{k}"].op.bits == k
    got, want = (x.run(frames) for x in (artefact.executor(), Interpreter(graph, torch.float64)))
    assert float((got != want).double().mean()) < 0.005


def test_proven_head_room_holds_for_any_input(max_former):
    graph = max_former.artefact.graph
    worst = torch.full((4, 1, 2, 16, 16), float(graph.metadata["lava"]["input_max"]))
    peaks = {}

    def tap(node, value):
        for reader in graph.consumers(node.name):
            if isinstance(reader.op, Neuron):
                peaks[reader.name] = max(peaks.get(reader.name, 0.0), float(value.abs().max()))

    for frames in (worst, worst * 0, max_former.frames):
        IntegerExecutor(graph).run(frames, tap)
    rows = {r.layer: r for r in max_former.artefact.report.figure("head-room, proven")}
    assert set(peaks) <= set(rows)
    for name, peak in peaks.items():
        assert peak <= rows[name].value < rows[name].limit == CURRENT_LIMIT


def test_observed_head_room_gives_finer_scales(max_former):
    options = LoweringOptions(headroom="observed", weight_bits=12, margin=1.5, extra_bits=8)
    finer = lower(max_former.graph, max_former.frames, options=options)
    proven = lower(
        max_former.graph, max_former.frames, options=LoweringOptions(weight_bits=12, extra_bits=8)
    )
    k, usual = (a.graph.metadata["lava"]["exponents"]["stem"] for a in (finer, proven))
    assert k > usual
    assert any("Not proven" in row.advice for row in finer.report.warnings())
    finer.executor(check_values=True).run(max_former.frames)


def test_report_tells_every_approximation(max_former):
    report = max_former.artefact.report
    figures = {row.figure for row in report.rows}
    assert {
        "weight error", "weight bits lost to head-room", "head-room, proven",
        "head-room, observed", "threshold offset, largest", "rounding of the mean, largest",
        "rounding of the bias, largest", "computed on the host, in float",
        "firing rate, float", "firing rate, fixed point", "spikes that differ from float",
        "largest count allowed",
    } <= figures  # fmt: skip
    observed = {r.layer: r.value for r in report.figure("head-room, observed")}
    proven = {r.layer: r.value for r in report.figure("head-room, proven")}
    assert all(0 < value <= proven[layer] for layer, value in observed.items())
    assert all(math.isfinite(row.value) for row in report.rows)


def test_lost_weight_bits_are_warned_about():
    weight = torch.ones(2, 2, 3, 3)
    weight[1] *= 2**-14
    rows = lower(one_layer(conv(weight))).report.rows
    lost = next(row for row in rows if row.figure.startswith("weight bits lost"))
    assert lost.value > 0
    assert lost.severity is Severity.WARNING
    assert "headroom" in lost.advice


def test_wide_weights_are_simulation_only():
    rows = lower(
        one_layer(conv(torch.ones(1, 2, 1, 1))), options=LoweringOptions(weight_bits=12)
    ).report.warnings()
    assert any(row.figure == "weight bits" and "simulation" in row.advice for row in rows)


def test_host_part_is_unchanged(max_former):
    assert torch.equal(
        max_former.artefact.graph["head"].op.weight, max_former.graph["head"].op.weight
    )


def test_certificate_of_the_float_graph_is_not_claimed(max_former):
    graph = rebuilt(max_former.graph)
    graph.metadata["certificate"] = {"neurons": 10}
    metadata = lower(graph, max_former.frames).graph.metadata
    assert "certificate" not in metadata
    assert metadata["float_certificate"] == {"neurons": 10}


def test_max_pool_of_spikes_and_products_of_counts():
    graph = Graph(outputs=("lif",))
    graph.add("input", Input((2, 4, 4), Domain.SPIKE, per_step=True))
    graph.add("pool", MaxPool((2, 2), (1, 1), (0, 0)), ("input",))
    graph.add("square", MatMul(), ("pool", "pool"))
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ("square",))
    frames = torch.bernoulli(torch.full((6, 50, 2, 4, 4), 0.2))
    artefact = lower(graph, frames)
    got, want = (x.run(frames) for x in (artefact.executor(), Interpreter(graph, torch.float64)))
    assert float((got != want).double().mean()) < 0.02


def test_options_are_checked():
    for bad in ({"weight_bits": 3}, {"weight_bits": 17}, {"headroom": "none"}, {"bits": 8}):
        with pytest.raises(UsageError, match="lowering option"):
            LoweringOptions.of(**bad)
    assert LoweringOptions.of(weight_bits=6).weight_bits == 6


def test_dead_channels_do_not_set_the_scale():
    weight = torch.ones(2, 2, 3, 3)
    weight[1] = 0
    alive = lower(one_layer(conv(weight[:1])))
    both = lower(one_layer(conv(weight)))
    name = "layer"
    assert (
        alive.graph.metadata["lava"]["exponents"][name]
        == both.graph.metadata["lava"]["exponents"][name]
    )


def test_calibration_does_not_change_the_graph_but_input_max(max_former):
    top = max_former.artefact.graph.metadata["lava"]["input_max"]
    assert 2 * int(max_former.frames.max()) <= top
    assert (top + 1).bit_count() == 1
    blind = lower(max_former.graph, options=LoweringOptions(input_max=top))
    for node in max_former.artefact.graph:
        for name, value in node.op.tensors().items():
            assert torch.equal(value, blind.graph[node.name].op.tensors()[name])
    assert replace(blind, report=max_former.artefact.report).graph is blind.graph
