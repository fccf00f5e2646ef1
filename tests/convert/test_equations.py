"""The ops that NIR brings: refused parameters, what they start from, and their files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from spikeport.convert import Graph, Interpreter
from spikeport.convert.domain import Domain
from spikeport.convert.ops import EulerNeuron, Input, Integrator, Op, SumPool, Threshold
from spikeport.convert.passes import merge_identical
from spikeport.core.errors import UnsupportedError

ONE, ZERO = torch.ones(1), torch.zeros(1)


def graph_of(op: Op, shape: tuple[int, ...] = (3,), domain: Domain = Domain.REAL) -> Graph:
    graph = Graph(outputs=("n",))
    graph.add("input", Input(shape, domain, True))
    graph.add("n", op, ["input"])
    return graph


def run(op: Op, frames: torch.Tensor) -> torch.Tensor:
    return Interpreter(graph_of(op, tuple(frames.shape[2:])), torch.float64).run(frames)


def test_membranes_start_where_they_rest() -> None:
    nothing = torch.zeros(2, 1, 3)
    leak, reset = 0.25 * ONE, 0.75 * ONE
    assert run(Integrator(2 * ONE, ONE, leak), nothing).unique().tolist() == [0.25]
    assert run(Integrator(None, ONE, leak), nothing).unique().tolist() == [0.0]
    # At its reset it fires at once, at its leak it never does.
    assert run(EulerNeuron(None, ONE, leak, 0.5 * ONE, reset, True), nothing).all()
    assert not run(EulerNeuron(2 * ONE, ONE, leak, 0.5 * ONE, reset, True), nothing).any()


def test_firing_above_and_at_the_threshold() -> None:
    frames = torch.ones(3, 1, 3)
    for strict, want in ((True, [0, 1, 0]), (False, [1, 1, 1])):
        neuron = EulerNeuron(None, ONE, ZERO, ONE, ZERO, strict)
        assert run(neuron, frames)[:, 0, 0].tolist() == want
        assert run(Threshold(ONE, strict), frames)[:, 0, 0].tolist() == [float(not strict)] * 3


@pytest.mark.parametrize(
    "make",
    [
        lambda: Integrator(ZERO, ONE, ZERO),
        lambda: EulerNeuron(-ONE, ONE, ZERO, ONE, ZERO, True),
    ],
)
def test_time_constants_are_positive(make: Callable[[], Op]) -> None:
    with pytest.raises(ValueError, match="not positive"):
        make()


@pytest.mark.parametrize(
    "op",
    [
        Integrator(None, torch.ones(4), ZERO),
        EulerNeuron(None, ONE, ZERO, torch.ones(2, 3), ZERO, True),
        Threshold(torch.ones(4), True),
        SumPool((2, 2), (2, 2), (0, 0)),
    ],
)
def test_parameters_that_do_not_fit(op: Op) -> None:
    with pytest.raises(UnsupportedError, match="cannot read"):
        graph_of(op)


@pytest.mark.parametrize(
    "op",
    [
        Integrator(None, ONE, ZERO),
        EulerNeuron(2 * ONE, ONE, ZERO, ONE, ZERO, True),
        Threshold(ONE, False),
    ],
)
def test_they_are_stored(op: Op, tmp_path: Path) -> None:
    graph = graph_of(op)
    graph.save(tmp_path / "g.spg")
    frames = torch.randn(3, 2, 3)
    want, got = (Interpreter(each).run(frames) for each in (graph, Graph.load(tmp_path / "g.spg")))
    assert torch.equal(want, got)


def test_domains() -> None:
    pool = SumPool((2, 2), (2, 2), (0, 0))
    for given, want in ((Domain.SPIKE, Domain.GRADED), (Domain.REAL, Domain.REAL)):
        assert graph_of(pool, (2, 4, 4), given)["n"].domain is want
    assert graph_of(Threshold(ONE, True))["n"].domain is Domain.SPIKE
    assert graph_of(Integrator(None, ONE, ZERO), domain=Domain.SPIKE)["n"].domain is Domain.REAL


def test_two_that_are_the_same_are_merged() -> None:
    graph = graph_of(EulerNeuron(None, ONE, ZERO, ONE, ZERO, True))
    graph.add("twin", EulerNeuron(None, ONE, ZERO, ONE, ZERO, True), ["input"])
    graph.add("other", EulerNeuron(None, ONE, ZERO, ONE, ZERO, False), ["input"])
    graph.outputs = ("n", "twin", "other")
    assert merge_identical(graph).outputs == ("n", "n", "other")
