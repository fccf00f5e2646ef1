"""Products of activations against loops over i, j and k."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    LIF,
    Input,
    Linear,
    MatMul,
    MeanTime,
    Op,
    Permute,
    RepeatTime,
    Scale,
    Sum,
)
from spikeport.estimate import Tally, Term


def products(x: Tensor, *right_ops: Op) -> tuple[Tally, Tensor, Tensor]:
    """x times ops(x), with x `[T, B, heads, I, K]`; returns both operands."""
    graph = Graph()
    graph.add("x", Input(tuple(x.shape[2:]), Domain.SPIKE, True))
    last = "x"
    for index, op in enumerate(right_ops):
        graph.add(f"right{index}", op, [last])
        last = f"right{index}"
    graph.add("layer", MatMul(), ["x", last])
    graph.outputs = ("layer",)
    tally, seen = Tally(graph), {}
    executor = Interpreter(graph, torch.float64)
    executor.run(x, lambda node, value: seen.update({node.name: value.clone()}))
    tally.run(executor, x)
    return tally, seen["x"], seen[last]


def loops(a: Tensor, b: Tensor) -> tuple[int, int, int, int]:
    """Coincidences, reads of the left and of the right driver, dense."""
    both = left = right = dense = 0
    for t, s, h, i, j, k in (
        (t, s, h, i, j, k)
        for t in range(a.shape[0])
        for s in range(a.shape[1])
        for h in range(a.shape[2])
        for i in range(a.shape[3])
        for j in range(b.shape[4])
        for k in range(a.shape[4])
    ):
        p, q = bool(a[t, s, h, i, k]), bool(b[t, s, h, k, j])
        both, left, right, dense = both + (p and q), left + p, right + q, dense + 1
    return both, left, right, dense


@given(
    st.integers(1, 2),
    st.integers(1, 4),
    st.integers(1, 4),
    st.floats(0, 1),
    st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_spikes_times_spikes(heads: int, rows: int, inner: int, rate: float, seed: int) -> None:
    make = torch.Generator().manual_seed(seed)
    x = (torch.rand((2, 2, heads, rows, inner), generator=make) < rate).float()
    tally, a, b = products(x, Permute((0, 2, 1)))
    both, left, right, dense = loops(a, b)
    assert tally.total("layer", Term.SOP) == both
    assert tally.total("layer", Term.READS_LEFT) == left
    assert tally.total("layer", Term.READS_RIGHT) == right
    assert tally.total("layer", Term.DENSE) == dense


def test_neuron_outputs_count_like_spikes() -> None:
    x = torch.ones(3, 1, 2, 3, 3)
    tally, a, b = products(x, LIF(2.0, True, 0.6, 0.0), Permute((0, 2, 1)))
    both, left, right, _ = loops(a, b)
    assert 0 < both < left
    assert (tally.total("layer", Term.SOP), tally.total("layer", Term.READS_RIGHT)) == (both, right)


@pytest.mark.parametrize("scale", [1.0, 0.125])
def test_binary_times_integer_adds_once_per_event_and_target(scale: float) -> None:
    make = torch.Generator().manual_seed(3)
    x = (torch.rand((2, 2, 2, 3, 3), generator=make) < 0.4).float()
    # Row sums are integers, not spikes; their zeros do not save an addition of the row.
    tally, _, _ = products(x, Sum((2,), keep=True), Scale(scale))
    assert tally.graph["right1"].domain is (Domain.GRADED if scale == 1.0 else Domain.SCALED)
    assert tally.total("layer", Term.SOP) == int(x.sum()) * 1
    assert tally.total("layer", Term.READS_LEFT) == int(x.sum())
    assert Term.READS_RIGHT not in tally.plans["layer"].terms


def test_no_binary_operand_is_macs() -> None:
    graph = Graph()
    graph.add("x", Input((3, 3), Domain.GRADED, True))
    graph.add("layer", MatMul(), ["x", "x"])
    graph.outputs = ("layer",)
    tally = Tally(graph)
    tally.run(Interpreter(graph), torch.ones(2, 2, 3, 3))
    assert tally.total("layer", Term.MAC) == 2 * 2 * 27
    assert tally.plans["layer"].notes


def test_heads_shared_by_broadcasting() -> None:
    graph = Graph()
    graph.add("x", Input((2, 3, 4), Domain.SPIKE, True))
    graph.add("one", Sum((0,), keep=True), ["x"])
    graph.add("lif", LIF(2.0, True, 0.5, 0.0), ["one"])
    graph.add("turned", Permute((0, 2, 1)), ["lif"])
    graph.add("layer", MatMul(), ["x", "turned"])
    graph.outputs = ("layer",)
    tally, seen = Tally(graph), {}
    executor = Interpreter(graph, torch.float64)
    x = (torch.rand((2, 2, 2, 3, 4), generator=torch.Generator().manual_seed(0)) < 0.5).float()
    executor.run(x, lambda node, value: seen.update({node.name: value.clone()}))
    tally.run(executor, x)
    both, left, right, _ = loops(seen["x"], seen["turned"].expand(2, 2, 2, 4, 3))
    assert tally.total("layer", Term.SOP) == both
    assert tally.total("layer", Term.READS_LEFT) == left
    assert tally.total("layer", Term.READS_RIGHT) == right


def test_spikes_of_an_image_are_read_at_each_step() -> None:
    """They exist once per sample, but drive the product once per step."""
    steps, columns = 3, 6
    graph = Graph(outputs=("mean",))
    graph.add("x", Input((4, 5), Domain.SPIKE, False))
    graph.add("shown", RepeatTime(steps), ["x"])
    graph.add("currents", Linear(torch.ones(columns, 5), None), ["shown"])
    graph.add("turned", Permute((1, 0)), ["currents"])
    graph.add("layer", MatMul(), ["turned", "x"])
    graph.add("mean", MeanTime(), ["layer"])
    frames = (torch.rand(2, 4, 5, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    events = int(frames.sum())
    tally = Tally(graph)
    tally.run(Interpreter(graph), frames)
    assert tally.total("layer", Term.EVENTS_IN) == steps * events
    assert tally.total("layer", Term.SOP) == steps * events * columns
    # Each step alike, and nothing once per sample.
    assert tally.per_step("layer", Term.SOP) == (*[events * columns] * steps, 0)
    assert tally.input_rate("layer") == Fraction(events, frames.numel())
