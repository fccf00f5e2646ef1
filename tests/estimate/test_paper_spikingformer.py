"""The convention of Spikingformer's tool, by hand and against its published log."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Add,
    Conv,
    Input,
    Linear,
    MatMul,
    Mean,
    MeanTime,
    Permute,
    RepeatTime,
)
from spikeport.estimate import PAPER_MODES, Tally

MAC, AC = Fraction("4.6"), Fraction("0.9")


def net(side: int, channels: int, classes: int, features: int) -> Tally:
    """Static image, T = 4: conv1, spikes; their mean over space and time into a head."""
    graph = Graph()
    graph.add("image", Input((3, side, side), Domain.REAL, False))
    graph.add("repeat", RepeatTime(4), ["image"])
    op = Conv(torch.zeros(channels, 3, 3, 3), None, (1, 1), (1, 1), (1, 1))
    graph.add("conv1", op, ["repeat"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["conv1"])
    one = Conv(torch.zeros(features, channels, 1, 1), None, (side, side), (0, 0), (1, 1))
    graph.add("conv2", one, ["lif"])
    graph.add("lif2", LIF(2.0, True, 1.0, 0.0), ["conv2"])
    graph.add("mean", Mean((1, 2)), ["lif2"])
    graph.add("time", MeanTime(), ["mean"])
    graph.add("head", Linear(torch.zeros(classes, features), None), ["time"])
    graph.outputs = ("head",)
    tally = Tally(graph)
    tally.run(Interpreter(graph), torch.zeros(1, 3, side, side))
    return tally


def test_published_log_of_8_768() -> None:
    """0.521 G MACs (conv1 at each of 4 steps, the head once) + 12.514 G ACs = 13.659 mJ."""
    paper = PAPER_MODES["spikingformer"](net(224, 96, 1000, 768))
    macs = (paper.layers["conv1"] + paper.layers["head"]) / MAC
    assert f"{float(macs / 10**9):.3f}" == "0.521"
    millijoule = (MAC * macs + AC * Fraction("12.514e9")) / 10**9
    assert f"{float(millijoule):.3f}" == "13.659"
    # The head at each step would show in the third digit.
    assert f"{float((macs + 3 * 768_000) / 10**9):.3f}" == "0.523"


def attention(frames: torch.Tensor) -> Tally:
    graph = Graph()
    graph.add("k", Input((2, 3, 4), Domain.SPIKE, True))
    conv = Conv(torch.zeros(2, 2, 1, 1), None, (1, 1), (0, 0), (1, 1))
    graph.add("stem", conv, ["k"])
    graph.add("v", LIF(2.0, True, 0.0, None), ["stem"])
    graph.add("turned", Permute((0, 2, 1)), ["k"])
    graph.add("kv", MatMul(), ["turned", "v"])
    graph.add("qkv", MatMul(), ["k", "kv"])
    graph.outputs = ("qkv",)
    return Tally.over(Interpreter(graph, torch.float64), [frames])


def test_attention_takes_the_lower_rate_of_the_first_product() -> None:
    """T N d^2 (min(r_k, r_v) + r_q) for each of 2 heads of N = 3, d = 4."""
    frames = torch.zeros(2, 1, 2, 3, 4)
    frames[0, 0, 0] = 1  # a quarter of k (and q); v fires always: threshold 0, current 0
    paper = PAPER_MODES["spikingformer"](attention(frames))
    per_head = 2 * 3 * 4**2
    assert paper.layers["kv"] == AC * 2 * per_head * Fraction(1, 4)
    assert paper.layers["qkv"] == AC * 2 * per_head * Fraction(1, 4)


@pytest.mark.parametrize(("switch", "price"), [("ac", AC), ("mac", MAC)])
def test_sums_of_spikes_by_a_switch(switch: str, price: Fraction) -> None:
    graph = Graph()
    graph.add("x", Input((2, 2, 2), Domain.SPIKE, True))
    conv = Conv(torch.ones(2, 2, 1, 1), None, (1, 1), (0, 0), (1, 1))
    graph.add("stem", conv, ["x"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["stem"])
    graph.add("sum", Add(), ["lif", "x"])
    graph.add("binary", conv, ["lif"])
    graph.add("multi", conv, ["sum"])
    graph.add("out", Add(), ["binary", "multi"])
    graph.outputs = ("out",)
    tally = Tally.over(Interpreter(graph), [torch.ones(1, 1, 2, 2, 2)])
    paper = PAPER_MODES["spikingformer"](tally, **{"multi-spike": switch})
    # Current 2, membrane 1: all fire. 8 outputs of fan-in 2, all rates 1, T = 1.
    assert paper.layers["binary"] == AC * 16
    assert paper.layers["multi"] == price * 16
    # That is what lifts a Spikformer from 7.73 to 12.43 mJ: (12.43 - 7.73) / 3.7 pJ is 1.27 G of
    # its 6.82 G operations.
    assert Fraction("4.70") / (MAC - AC) < Fraction("6.82")
