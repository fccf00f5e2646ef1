"""Counts do not depend on how the samples came."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.core.errors import UsageError
from spikeport.estimate import Tally, Term, estimate


def all_counts(tally: Tally) -> dict[tuple[str, Term], list[int]]:
    return {
        (name, term): tally.per_sample(name, term).tolist()
        for name, plan in tally.plans.items()
        for term in plan.terms
    }


def step_counts(tally: Tally) -> dict[tuple[str, Term], tuple[int, ...]]:
    return {
        (name, term): tally.per_step(name, term)
        for name, plan in tally.plans.items()
        for term in plan.terms
    }


@given(cuts=st.sets(st.integers(1, 6)))
@settings(max_examples=10, deadline=None)
def test_batch_split(cuts: set[int]) -> None:
    from_fixture = _net_and_frames()
    net, frames = from_fixture
    executor = Interpreter(net, torch.float64)
    whole = Tally.over(executor, [frames])
    split = Tally.over(executor, list(torch.tensor_split(frames, sorted(cuts), dim=1)))
    assert all_counts(split) == all_counts(whole)
    assert step_counts(split) == step_counts(whole)


def _net_and_frames() -> tuple[Graph, Tensor]:
    # A hypothesis test may not use function-scoped fixtures.
    from spikeport.convert.domain import Domain
    from spikeport.convert.ops import IF, Conv, Input, Linear, MeanTime, Reshape

    make = torch.Generator().manual_seed(0)
    graph = Graph()
    graph.add("x", Input((1, 4, 4), Domain.GRADED, True))
    weight = torch.randn(2, 1, 3, 3, generator=make)
    graph.add("conv", Conv(weight, None, (1, 1), (1, 1), (1, 1)), ["x"])
    graph.add("if", IF(0.5, None), ["conv"])
    graph.add("flat", Reshape((32,)), ["if"])
    graph.add("mean", MeanTime(), ["flat"])
    graph.add("head", Linear(torch.randn(3, 32, generator=make), None), ["mean"])
    graph.outputs = ("head",)
    return graph, torch.poisson(torch.full((3, 7, 1, 4, 4), 0.5), generator=make)


def test_batch_order(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net, torch.float64)
    order = torch.randperm(7, generator=torch.Generator().manual_seed(0))
    batches = [(frames[:, :4], None), (frames[:, 4:], None)]
    first = estimate(executor, batches, interval="bootstrap")
    shuffled = estimate(executor, [(frames[:, order], None)], interval="bootstrap")
    assert step_counts(first.tally) == step_counts(shuffled.tally)
    assert first.totals == shuffled.totals
    assert first.layers.equals(shuffled.layers)


def test_sum_over_steps_and_samples_is_the_total(small_net: Graph, frames: Tensor) -> None:
    tally = Tally.over(Interpreter(small_net), [frames])
    for name, plan in tally.plans.items():
        for term in plan.terms:
            total = tally.total(name, term)
            assert sum(tally.per_step(name, term)) == total
            assert int(tally.per_sample(name, term).sum()) == total
            assert tally.per_sample(name, term).dtype == np.int64


def test_merge_is_associative_and_exact(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net, torch.float64)
    a, b, c = (Tally.over(executor, [part]) for part in frames.split([2, 1, 4], dim=1))
    left, right = a.merged(b).merged(c), a.merged(b.merged(c))
    whole = Tally.over(executor, [frames])
    for merged in (left, right):
        assert merged.samples == 7
        assert all_counts(merged) == all_counts(whole)
        assert step_counts(merged) == step_counts(whole)
    empty = Tally(small_net)
    assert all_counts(empty.merged(a)) == all_counts(a.merged(empty)) == all_counts(a)
    # Merging leaves its parts alone.
    assert (a.samples, b.samples, c.samples) == (2, 1, 4)


def test_precision_of_the_run_does_not_change_how_is_counted(frames: Tensor) -> None:
    net, x = _net_and_frames()
    # The first layer reads the frames themselves: no rounding decides about its events.
    counts = {
        dtype: Tally.over(Interpreter(net, dtype), [x]).total("conv", Term.SOP)
        for dtype in (torch.float32, torch.float64, torch.bfloat16)
    }
    assert len(set(counts.values())) == 1


def test_failed_run_counts_nothing(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net, torch.float64)
    tally = Tally.over(executor, [frames])
    before = all_counts(tally)
    with pytest.raises(UsageError):
        tally.run(executor, frames[:, :, :, :3])
    with pytest.raises(UsageError, match="T = 4 and of T = 3"):
        tally.run(executor, frames[:3])
    assert all_counts(tally) == before


def test_merge_refuses_other_graphs_and_steps(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net)
    tally = Tally.over(executor, [frames])
    with pytest.raises(UsageError, match="different graphs"):
        tally.merged(Tally(_net_and_frames()[0]))
    with pytest.raises(UsageError, match="cannot be counted together"):
        tally.merged(Tally.over(executor, [frames[:2]]))


def test_tallies_cross_process_borders(small_net: Graph, frames: Tensor) -> None:
    tally = Tally.over(Interpreter(small_net), [frames])
    copy = pickle.loads(pickle.dumps(tally))
    assert all_counts(copy) == all_counts(tally)
    assert copy.merged(tally).samples == 14


def test_integer_executors_count_alike() -> None:
    net, frames = _net_and_frames()

    class Whole:
        graph = net

        def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
            def as_integers(node: Node, value: Tensor) -> None:
                if tap is not None:
                    tap(node, value.long() if node.domain.is_whole else value)

            return Interpreter(net).run(frames, as_integers)

    assert all_counts(Tally.over(Whole(), [frames])) == all_counts(
        Tally.over(Interpreter(net), [frames])
    )


def test_memory_grows_by_whole_numbers_only() -> None:
    net, frames = _net_and_frames()
    executor = Interpreter(net)
    tally = Tally.over(executor, [frames[:, :1]] * 200)
    again = Tally.over(executor, [frames[:, :1].expand(-1, 200, -1, -1, -1)])
    assert all_counts(tally) == all_counts(again)
    blocks = tally._per_sample.values()
    assert all(len(each) <= 64 for each in blocks)
    assert sum(block.nbytes for each in blocks for block in each) == 200 * 8 * len(blocks)
