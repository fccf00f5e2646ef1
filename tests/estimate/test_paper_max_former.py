"""The convention of Max-Former, by hand and against published figures that need no rates."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Conv,
    Input,
    Linear,
    MatMul,
    Mean,
    MeanTime,
    Permute,
    RepeatTime,
)
from spikeport.core.errors import UnknownNameError
from spikeport.estimate import PAPER_MODES, Tally, estimate

MILLIJOULE = 10**9
"""in pJ"""


def test_by_hand() -> None:
    graph = Graph()
    graph.add("image", Input((1, 3, 3), Domain.REAL, False))
    graph.add("repeat", RepeatTime(2), ["image"])
    graph.add("conv1", Conv(torch.ones(2, 1, 3, 3), None, (1, 1), (1, 1), (1, 1)), ["repeat"])
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["conv1"])
    graph.add("conv2", Conv(torch.ones(2, 2, 3, 3), None, (1, 1), (1, 1), (1, 1)), ["lif"])
    graph.add("mean", Mean((1, 2)), ["conv2"])
    graph.add("head_lif", LIF(2.0, True, 1.0, 0.0), ["mean"])
    graph.add("time", MeanTime(), ["head_lif"])
    graph.add("head", Linear(torch.ones(5, 2), None), ["time"])
    graph.outputs = ("head",)
    tally = Tally(graph)
    # Current 4..9 everywhere: every neuron fires at both steps, so all rates are 1.
    tally.run(Interpreter(graph), torch.ones(1, 1, 3, 3))
    paper = PAPER_MODES["max-former"](tally)
    mac, ac = Fraction(46, 10), Fraction(9, 10)
    assert dict(paper.layers) == {
        "conv1": mac * 2 * 9 * 9,
        "conv2": ac * 2 * (2 * 9 * 2 * 9),
        "head": ac * 2 * 10,
    }
    assert paper.picojoule == sum(paper.layers.values())
    assert paper.deviation_percent(paper.picojoule * 2) == -50


def test_rates_are_those_of_the_samples() -> None:
    graph = Graph()
    graph.add("x", Input((4,), Domain.SPIKE, True))
    graph.add("a", Linear(torch.ones(3, 4), None), ["x"])
    graph.outputs = ("a",)
    frames = torch.zeros(2, 2, 4)
    frames[0, 0, :3] = 1
    tally = Tally.over(Interpreter(graph), [frames])
    paper = PAPER_MODES["max-former"](tally)
    # Rate 3/16, T = 2, 12 connections.
    assert paper.layers["a"] == Fraction(9, 10) * Fraction(3, 16) * 2 * 12


def test_attention_is_not_charged() -> None:
    graph = Graph()
    graph.add("x", Input((3, 3), Domain.SPIKE, True))
    graph.add("turned", Permute((1, 0)), ["x"])
    graph.add("product", MatMul(), ["x", "turned"])
    graph.outputs = ("product",)
    report = estimate(Interpreter(graph), [(torch.ones(1, 1, 3, 3), None)])
    assert report.papers[0].picojoule == 0
    assert report.picojoule == Fraction(9, 10) * 27
    assert report.as_dict()["papers"][0]["deviation_percent"] == -100


def test_the_deviation_does_not_depend_on_the_energy_model_of_the_report(
    small_net: Graph, frames: torch.Tensor
) -> None:
    found = [
        estimate(Interpreter(small_net), [(frames, None)], name).as_dict()["papers"][0]
        for name in ("horowitz45-fp32", "horowitz45-int8", "truenorth-merolla")
    ]
    assert found[0]["deviation_percent"] is not None
    assert found[0] == found[1] == found[2]


def test_published_stem_and_head() -> None:
    """MS-QKFormer: conv1 3 -> 48, 3x3, 224x224, once: 0.299 mJ; head on real means: .007 mJ."""
    stem = Graph()
    stem.add("image", Input((3, 224, 224), Domain.REAL, False))
    stem.add("repeat", RepeatTime(4), ["image"])
    stem.add("conv1", Conv(torch.zeros(48, 3, 3, 3), None, (1, 1), (1, 1), (1, 1)), ["repeat"])
    stem.outputs = ("conv1",)
    tally = Tally(stem)
    tally.run(Interpreter(stem), torch.zeros(1, 3, 224, 224))
    energy = PAPER_MODES["max-former"](tally).layers["conv1"]
    assert energy == Fraction(46, 10) * 65_028_096
    assert f"{float(energy / MILLIJOULE):.3f}" == "0.299"
    # Charged at each step it would exceed the whole published stage-1 cell of 1.19 mJ.
    assert 4 * energy > Fraction("1.19") * MILLIJOULE

    head = Graph()
    head.add("x", Input((384,), Domain.REAL, True))
    head.add("time", MeanTime(), ["x"])
    head.add("head", Linear(torch.zeros(1000, 384), None), ["time"])
    head.outputs = ("head",)
    tally = Tally.over(Interpreter(head), [torch.zeros(4, 1, 384)])
    energy = PAPER_MODES["max-former"](tally).layers["head"]
    assert energy == Fraction(46, 10) * 384_000 * 4
    assert f"{float(energy / MILLIJOULE):.3f}" == "0.007"


def test_published_bound_of_the_spiking_head() -> None:
    """Max-Former's head reads spikes: at most 384 x 1000 x 4 x 0.9 pJ = .00138 mJ."""
    graph = Graph()
    graph.add("x", Input((384,), Domain.SPIKE, True))
    graph.add("time", MeanTime(), ["x"])
    graph.add("head", Linear(torch.zeros(1000, 384), None), ["time"])
    graph.outputs = ("head",)
    tally = Tally.over(Interpreter(graph), [torch.ones(4, 1, 384)])
    energy = float(PAPER_MODES["max-former"](tally).layers["head"] / MILLIJOULE)
    assert energy == pytest.approx(0.00138, abs=5e-6)


def test_event_frames_are_macs_once_all_the_same() -> None:
    graph = Graph()
    graph.add("x", Input((2, 4, 4), Domain.GRADED, True))
    graph.add("conv1", Conv(torch.ones(3, 2, 3, 3), None, (1, 1), (1, 1), (1, 1)), ["x"])
    graph.outputs = ("conv1",)
    tally = Tally.over(Interpreter(graph), [torch.ones(5, 1, 2, 4, 4)])
    assert PAPER_MODES["max-former"](tally).layers["conv1"] == Fraction(46, 10) * 3 * 16 * 18


def test_unknown_mode_is_refused_before_the_run(small_net: Graph) -> None:
    with pytest.raises(UnknownNameError, match="max-former"):
        estimate(Interpreter(small_net), iter(()), papers=["maxformer"])
