"""Thresholds times a factor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
import torch

from spikeport.convert import Domain, Graph, Interpreter
from spikeport.convert.ops import IF, LIF, ChannelNeuron, Input, Neuron
from spikeport.convert.passes.scale_thresholds import FACTOR, scale_thresholds
from spikeport.core.errors import UnsupportedError, UsageError


def one_neuron(op: Neuron) -> Graph:
    graph = Graph(metadata={"certificate": {}})
    graph.add("x", Input((3,), Domain.REAL, True))
    graph.add("n", op, ["x"])
    graph.outputs = ("n",)
    return graph


@pytest.mark.parametrize("factor", [0.5, 1.25, 4.0])
def test_a_scaled_neuron_is_the_old_one_on_smaller_currents(factor: float) -> None:
    # Powers of two and sums of few of them: no rounding stands between the two.
    currents = torch.randint(-8, 24, (6, 5, 3), generator=torch.Generator().manual_seed(0)) / 8.0
    for op in (LIF(2.0, True, 1.0, None), LIF(2.0, False, 0.5, 0.0), IF(1.0, None)):
        graph = one_neuron(op)
        scaled = scale_thresholds(graph, factor)
        want = Interpreter(graph, torch.float64).run(currents.double())
        found = Interpreter(scaled, torch.float64).run(currents.double() * factor)
        assert torch.equal(found, want) and 0 < float(want.mean()) < 1
        assert scaled["n"].op.v_threshold == op.v_threshold * factor  # type: ignore[attr-defined]
        assert graph["n"].op is op


def test_thresholds_by_channel_are_scaled_too() -> None:
    thresholds = torch.tensor([0.5, 1.0, 2.0])
    scaled = scale_thresholds(one_neuron(ChannelNeuron(None, None, True, thresholds, None)), 2.0)
    op = scaled["n"].op
    assert isinstance(op, ChannelNeuron) and torch.equal(op.v_threshold, 2 * thresholds)


@dataclass(frozen=True, eq=False)
class Nameless(Neuron):
    """A neuron that says nothing of its threshold."""


def test_a_neuron_without_a_threshold_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="n: this neuron has no threshold"):
        scale_thresholds(one_neuron(Nameless()), 2.0)


def test_what_the_graph_says_of_itself() -> None:
    graph = one_neuron(IF(1.0, None))
    assert scale_thresholds(graph, 1) is graph
    twice = scale_thresholds(scale_thresholds(graph, 2.0), 1.5)
    assert twice.metadata == {FACTOR: 3.0} and "certificate" in graph.metadata


@pytest.mark.parametrize("factor", [0.0, -1.0, math.inf, math.nan])
def test_factors_that_make_no_network(factor: float) -> None:
    with pytest.raises(UsageError, match="cannot be multiplied"):
        scale_thresholds(one_neuron(IF(1.0, None)), factor)
