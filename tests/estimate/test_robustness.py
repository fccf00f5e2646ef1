"""Accuracy under conditions: paired with the clean run, on the same samples."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import LIF, AddPerStep, Input, Linear, MeanTime
from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.estimate import accuracy
from spikeport.estimate.robustness import compare_levels, temporal_sensitivity
from spikeport.estimate.robustness.levels import Level
from spikeport.estimate.robustness.time_order import draw_orders, order_name

LABELS = torch.tensor([0, 1, 2, 0, 1, 2, 0])


def test_levels_are_compared_in_pairs(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net)
    strength = {0.0: 1.0, 1.0: 0.0}

    def disturbed(level: Level) -> Iterator[tuple[Tensor, Tensor]]:
        yield frames * strength[level.level], LABELS

    section = compare_levels(
        executor,
        [(frames, LABELS)],
        [Level("loss", level, "share") for level in strength],
        disturbed,
    )
    clean, same, silent = section.rows
    plain = accuracy(executor, [(frames, LABELS)])
    assert (clean.name, clean.correct, clean.accuracy) == ("clean", plain.correct, plain.top1)
    assert (same.correct, same.difference, same.p_value) == (plain.correct, 0.0, 1.0)
    assert same.events == clean.events == pytest.approx(float(frames.sum()) / 7)
    assert silent.events == 0
    # Without events all samples look alike.
    assert silent.correct in (2, 3)
    assert silent.difference == pytest.approx((silent.correct - clean.correct) / 7)
    assert silent.difference_low <= silent.difference <= silent.difference_high
    assert (silent.name, silent.level, silent.unit) == ("loss", 1.0, "share")


def test_levels_with_other_samples_are_refused(small_net: Graph, frames: Tensor) -> None:
    def disturbed(level: Level) -> list[tuple[Tensor, Tensor]]:
        return [(frames, LABELS.flip(0) if level.level else LABELS)]

    clean, executor = [(frames, LABELS)], Interpreter(small_net)
    with pytest.raises(UsageError, match="other samples"):
        compare_levels(executor, clean, [Level("loss", 1.0, "share")], disturbed)
    with pytest.raises(UsageError, match="no level"):
        compare_levels(executor, clean, [], disturbed)


def first_spike_net(steps: int) -> Graph:
    """Scores that tell at which step a neuron fired: only the order of time matters."""
    graph = Graph(outputs=("score",))
    graph.add("x", Input((1,), Domain.REAL, True))
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ["x"], path="encoder")
    # Class t hears the spike at step t only.
    graph.add("spread", Linear(torch.ones(steps, 1), None), ["lif"])
    graph.add("gate", AddPerStep(torch.eye(steps)), ["spread"])
    graph.add("heard", LIF(2.0, True, 1.0, 0.0), ["gate"])
    graph.add("score", MeanTime(), ["heard"])
    return graph


def clocks(steps: int) -> tuple[Tensor, Tensor]:
    """One sample per step: a current of 4 at that step."""
    return 4 * torch.eye(steps).unsqueeze(2), torch.arange(steps)


def test_a_network_that_reads_the_order_loses_all_and_one_that_counts_loses_nothing() -> None:
    steps = 4
    frames, labels = clocks(steps)
    found = temporal_sensitivity(first_spike_net(steps), lambda _: [(frames, labels)], steps)
    clean, backwards, *orders = found.rows
    assert clean.accuracy == 1
    assert (backwards.name, backwards.variant, backwards.accuracy) == ("reversed", "4 3 2 1", 0)
    assert len(orders) == 8
    # A step that stays in its place keeps its sample right.
    for row in orders:
        moved = [int(step) - 1 for step in row.variant.split()]
        stay = sum(step == place for place, step in enumerate(moved))
        assert row.correct == stay
        assert row.difference == pytest.approx(stay / steps - 1)
    (mean,) = found.means
    assert mean.difference == pytest.approx(sum(row.difference for row in orders) / 8)
    assert mean.accuracy == pytest.approx(1 + mean.difference)
    assert found.notes == ("order of the outputs of encoder",)

    graph = first_spike_net(steps)
    counting = Graph(outputs=("score",))
    counting.add("x", Input((1,), Domain.REAL, True))
    counting.add("lif", graph["lif"].op, ["x"])
    counting.add("spread", Linear(torch.tensor([[1.0], [-1.0]]), None), ["lif"])
    counting.add("score", MeanTime(), ["spread"])
    some = torch.stack([torch.full((4, 1), 3.0), torch.zeros(4, 1)], 1)
    steady = temporal_sensitivity(counting, lambda _: [(some, torch.tensor([0, 0]))], 4)
    assert {row.difference for row in steady.rows} == {0.0}


def test_orders_are_drawn_once_each_and_never_the_identity() -> None:
    for steps, wanted in ((2, 5), (3, 3), (4, 99), (8, 20)):
        orders = draw_orders(steps, wanted, seed=3)
        assert len(orders) == len(set(orders)) == min(wanted, math.factorial(steps) - 1)
        assert tuple(range(steps)) not in orders
        assert all(sorted(order) == list(range(steps)) for order in orders)
    assert draw_orders(8, 3, 1) == draw_orders(8, 3, 1) != draw_orders(8, 3, 2)
    assert order_name((2, 0, 1)) == "3 1 2"


def test_refusals_of_time_order(small_net: Graph, frames: Tensor) -> None:
    batches = [(frames, LABELS)]
    with pytest.raises(UsageError, match="Give two steps"):
        temporal_sensitivity(small_net, lambda _: batches, 1)
    with pytest.raises(UsageError, match="one order or more"):
        temporal_sensitivity(small_net, lambda _: batches, 4, orders=0)
    with pytest.raises(UsageError, match="the order is of 3"):
        temporal_sensitivity(small_net, lambda _: batches, 3)
    with pytest.raises(UnknownNameError, match="lif1"):
        temporal_sensitivity(small_net, lambda _: batches, 4, layer="lif3")
