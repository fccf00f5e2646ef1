"""One case for each thing that Lava cannot carry: refused, by name, with a way out."""

from __future__ import annotations

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import (
    IF,
    LIF,
    AdaptiveAvgPool,
    Add,
    AvgPool,
    BatchNorm,
    ChannelNeuron,
    Conv,
    Input,
    Linear,
    MaxPool,
    MeanTime,
    Multiply,
    ParametricLIF,
    RepeatTime,
    Reshape,
    Scale,
    Stateless,
)
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.targets.lava import LoweringOptions, check, lower

FIRES = LIF(tau=2.0, decay_input=True, v_threshold=1.0, v_reset=0.0)


def conv(out=2, channels=2, scale=1.0, bias=None):
    torch.manual_seed(0)
    weight = torch.randn(out, channels, 3, 3) * scale
    return Conv(weight, None if bias is None else torch.full((out,), bias), (1, 1), (1, 1), (1, 1))


class Net:
    """Builds a chain of ops on `[2, 4, 4]` spikes."""

    def __init__(self, domain=Domain.SPIKE, shape=(2, 4, 4), per_step=True):
        self.graph = Graph()
        self.graph.add("input", Input(shape, domain, per_step))
        self.last = "input"

    def then(self, name, op, *sources):
        self.graph.add(name, op, sources or (self.last,), path=f"net.{name}")
        self.last = name
        self.graph.outputs = (name,)
        return self


class Sine(Stateless):
    kind = "sine"

    def infer_shape(self, *inputs):
        return inputs[0]

    def apply(self, *inputs):
        return inputs[0].sin()


def dead_weights(value):
    return Conv(torch.full((2, 2, 1, 1), value), None, (1, 1), (0, 0), (1, 1))


def stats():
    return BatchNorm(torch.zeros(2), torch.ones(2), None, None, 1e-5)


def channel_neuron(tau=None, threshold=None):
    one = torch.ones(2, 1, 1)
    return ChannelNeuron(
        2 * one if tau is None else tau, None, True, one if threshold is None else threshold, 0.0
    )


REFUSED = {
    "soft reset": (
        Net().then("conv", conv()).then("lif", LIF(2.0, True, 1.0, None)), "net.lif", "soft reset",
    ),
    "reset elsewhere": (
        Net().then("conv", conv()).then("lif", LIF(2.0, True, 1.0, 0.5)), "net.lif",
        "resets to 0.5",
    ),
    "soft reset without leak": (
        Net().then("conv", conv()).then("if", IF(1.0, None)), "net.if", "soft reset",
    ),
    "tau": (
        Net().then("conv", conv()).then("lif", LIF(3.0, True, 1.0, 0.0)), "net.lif", "leak",
    ),
    "learned tau": (
        Net().then("conv", conv())
        .then("plif", ParametricLIF(torch.tensor(0.3), True, 1.0, 0.0)), "net.plif", "leak",
    ),
    "threshold": (
        Net().then("conv", conv()).then("lif", LIF(2.0, True, 0.0, 0.0)), "net.lif", "positive",
    ),
    "batch norm": (
        Net().then("norm", stats()).then("lif", FIRES), "net.norm", "batch norm",
    ),
    "adaptive pool": (
        Net().then("pool", AdaptiveAvgPool((4, 4), (3, 3))).then("lif", FIRES), "net.pool",
        "windows differ",
    ),
    "average pool over tokens": (
        Net(shape=(2, 4)).then("pool", AvgPool((2,), (2,), (0,), True)).then("lif", FIRES),
        "net.pool", "needs [C, H, W]",
    ),
    "mean over time before a neuron": (
        Net().then("mean", MeanTime()).then("repeat", RepeatTime(4)).then("lif", FIRES),
        "net.mean", "over time stands",
    ),
    "negative scale": (
        Net().then("scale", Scale(-0.5)).then("lif", FIRES), "net.scale", "not positive",
    ),
    "scale by zero": (
        Net().then("scale", Scale(0.0)).then("lif", FIRES), "net.scale", "not positive",
    ),
    "counts of different units": (
        Net().then("third", Scale(0.3)).then("fifth", Scale(0.2), "input")
        .then("sum", Add(), "third", "fifth").then("lif", FIRES), "net.sum", "the ratio",
    ),
    "convolution into the currents that it reads": (
        Net().then("first", conv()).then("second", conv())
        .then("sum", Add(), "first", "second").then("lif", FIRES), "net.second",
        "the same currents again",
    ),
    "leak by channel": (
        Net().then("conv", conv())
        .then("lif", channel_neuron(tau=torch.tensor([2.0, 4.0]).reshape(2, 1, 1))),
        "net.lif", "differs between channels",
    ),
    "threshold of one channel": (
        Net().then("conv", conv())
        .then("lif", channel_neuron(threshold=torch.tensor([1.0, -1.0]).reshape(2, 1, 1))),
        "net.lif", "positive",
    ),
    "image repeated in two ways": (
        Net(Domain.REAL, per_step=False).then("short", RepeatTime(2)).then("lif", FIRES)
        .then("long", RepeatTime(4), "input").then("lif2", FIRES)
        .then("sum", Add(), "lif", "lif2"), "net.long", "2, 4 times",
    ),
    "product of currents": (
        Net().then("conv", conv()).then("product", Multiply(), "conv", "input")
        .then("lif", FIRES), "net.product", "multiplies membrane currents",
    ),
    "no neuron": (Net().then("conv", conv()), "net.conv", "no spiking neuron"),
    "classifier on currents": (
        Net().then("lif", FIRES).then("conv", conv()).then("lif2", FIRES)
        .then("both", Add(), "conv", "lif2").then("mean", MeanTime()), "net.lif2",
        "more than one layer",
    ),
    "op without counterpart": (
        Net().then("sine", Sine()).then("lif", FIRES), "net.sine", "no counterpart",
    ),
    "weights that are not numbers": (
        Net().then("conv", dead_weights(float("nan"))).then("lif", FIRES), "net.conv", "NaN",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    net, where, why = REFUSED[name]
    errors = check(net.graph).errors
    found = [f for f in errors if where in f.where and why in f.why]
    assert found, errors
    assert found[0].fix
    with pytest.raises(UnsupportedError):
        lower(net.graph, options=LoweringOptions(input_max=1))


def test_check_tells_everything_at_once():
    net = (
        Net(Domain.REAL)
        .then("conv", conv())
        .then("pool", AdaptiveAvgPool((4, 4), (3, 3)))
        .then("scale", Scale(-1.0))
        .then("lif", LIF(3.0, True, 1.0, None))
    )
    errors = check(net.graph).errors
    assert [f.node for f in errors] == ["pool", "scale", "lif", "lif"]
    with pytest.raises(UnsupportedError, match="3 more"):
        lower(net.graph)


def test_notes_tell_what_is_simulated_only():
    net = Net().then("conv", conv()).then("pool", MaxPool((2, 2), (2, 2), (0, 0)))
    notes = check(net.then("lif", FIRES).graph).findings
    assert [f.node for f in notes] == ["pool"]
    assert "simulation only" in str(notes[0])


def test_unknown_input_range():
    graph = Net(Domain.GRADED).then("conv", conv()).then("lif", FIRES).graph
    with pytest.raises(UsageError, match="input_max"):
        lower(graph)


def test_no_head_room():
    graph = Net(Domain.GRADED).then("conv", conv()).then("lif", FIRES).graph
    with pytest.raises(UnsupportedError, match=r"net\.(conv|lif).*sums may reach"):
        lower(graph, options=LoweringOptions(input_max=10**6))


def test_bias_too_large():
    graph = Net().then("conv", conv(bias=1e6)).then("lif", FIRES).graph
    with pytest.raises(UnsupportedError, match=r"net\.lif.*int16"):
        lower(graph)


def test_threshold_too_large():
    neuron = LIF(2.0, True, 1e9, 0.0)
    graph = Net().then("count", Scale(1.0)).then("lif", neuron).graph
    with pytest.raises(UnsupportedError, match=r"net\.lif.*threshold"):
        lower(graph)


def test_counts_too_fine_for_their_stream():
    graph = (
        Net().then("tiny", Scale(2.0**-20)).then("conv", conv(scale=1e3), "input")
        .then("sum", Add(), "conv", "tiny").then("lif", FIRES).graph
    )  # fmt: skip
    with pytest.raises(UnsupportedError, match=r"net\.(lif|sum|conv)"):
        lower(graph)


def test_current_added_to_a_scaled_copy_of_itself():
    graph = (
        Net().then("conv", conv()).then("half", Scale(0.5)).then("sum", Add(), "conv", "half")
        .then("lif", FIRES).graph
    )  # fmt: skip
    with pytest.raises(UnsupportedError, match="scaled copy"):
        lower(graph)


def test_max_pool_over_a_bias_that_varies():
    linear = Linear(torch.randn(4, 4), torch.arange(4.0))
    graph = (
        Net().then("linear", linear).then("pool", MaxPool((2, 2), (2, 2), (0, 0)))
        .then("lif", FIRES).graph
    )  # fmt: skip
    with pytest.raises(UnsupportedError, match=r"net\.pool.*differs between positions"):
        lower(graph)


def test_calibration_frames_that_are_no_counts():
    graph = Net(Domain.GRADED).then("conv", conv()).then("lif", FIRES).graph
    for frames, why in ((torch.rand(2, 1, 2, 4, 4), "whole"), (-torch.ones(2, 1, 2, 4, 4), "neg")):
        with pytest.raises(UsageError, match=why):
            lower(graph, frames)


def test_reshaped_currents_are_carried():
    graph = (
        Net().then("conv", conv()).then("flat", Reshape((2, 16))).then("lif", FIRES).graph
    )  # fmt: skip
    assert "lif" in lower(graph).graph


def test_foldable_batch_norm_is_no_finding():
    graph = Net().then("conv", conv()).then("norm", stats()).then("lif", FIRES).graph
    report = check(graph)
    assert report.ok and not report.findings
    assert report["norm"].said == "rewritten (fold-batch-norm)"
    assert "norm" not in lower(graph).graph
