"""Counts do not depend on how the samples came."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Input, Linear
from spikeport.core.errors import UsageError
from spikeport.estimate import LAYER_COLUMNS, Tally, Term, estimate, statistics
from spikeport.estimate.tally.moments import Moments, check_range


def all_counts(tally: Tally) -> dict[tuple[str, Term], list[int]]:
    return {
        (name, term): tally.sample_counts(name, term).tolist()
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
    whole = Tally.over(executor, [frames], keep=True)
    parts = list(torch.tensor_split(frames, sorted(cuts), dim=1))
    split = Tally.over(executor, parts, keep=True)
    assert all_counts(split) == all_counts(whole)
    assert step_counts(split) == step_counts(whole)


def _net_and_frames() -> tuple[Graph, Tensor]:
    # A hypothesis test may not use function-scoped fixtures.
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
    batches = [(frames[:, :4], None, range(4)), (frames[:, 4:], None, range(4, 7))]
    first = estimate(executor, batches, interval="bootstrap")
    shuffled = estimate(executor, [(frames[:, order], None, order.tolist())], interval="bootstrap")
    assert step_counts(first.tally) == step_counts(shuffled.tally)
    assert first.totals == shuffled.totals
    assert first.layers.equals(shuffled.layers)


def test_sum_over_steps_and_samples_is_the_total(small_net: Graph, frames: Tensor) -> None:
    tally = Tally.over(Interpreter(small_net), [frames], keep=True)
    for name, plan in tally.plans.items():
        for term in plan.terms:
            total = tally.total(name, term)
            assert sum(tally.per_step(name, term)) == total
            assert int(tally.sample_counts(name, term).sum()) == total
            assert tally.sample_counts(name, term).dtype == np.int64


def test_merge_is_associative_and_exact(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net, torch.float64)
    a, b, c = (Tally.over(executor, [part], keep=True) for part in frames.split([2, 1, 4], dim=1))
    left, right = a.merge(b).merge(c), a.merge(b.merge(c))
    whole = Tally.over(executor, [frames], keep=True)
    for merged in (left, right):
        assert merged.samples == 7
        assert all_counts(merged) == all_counts(whole)
        assert step_counts(merged) == step_counts(whole)
    empty = Tally(small_net, keep=True)
    assert all_counts(empty.merge(a)) == all_counts(a.merge(empty)) == all_counts(a)
    # Merging leaves its parts alone.
    assert (a.samples, b.samples, c.samples) == (2, 1, 4)


def test_precision_of_the_run_does_not_change_how_is_counted(frames: Tensor) -> None:
    net, x = _net_and_frames()
    # The first layer reads the frames themselves: no rounding decides about its events.
    counts = {
        dtype: Tally.over(Interpreter(net, dtype), [x], keep=True).total("conv", Term.SOP)
        for dtype in (torch.float32, torch.float64, torch.bfloat16)
    }
    assert len(set(counts.values())) == 1


def test_failed_run_counts_nothing(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net, torch.float64)
    tally = Tally.over(executor, [frames], keep=True)
    before = all_counts(tally)
    with pytest.raises(UsageError):
        tally.run(executor, frames[:, :, :, :3])
    with pytest.raises(UsageError, match="T = 4 and of T = 3"):
        tally.run(executor, frames[:3])
    assert all_counts(tally) == before


def test_merge_refuses_other_graphs_and_steps(small_net: Graph, frames: Tensor) -> None:
    executor = Interpreter(small_net)
    tally = Tally.over(executor, [frames], keep=True)
    with pytest.raises(UsageError, match="different graphs"):
        tally.merge(Tally(_net_and_frames()[0], keep=True))
    with pytest.raises(UsageError, match="cannot be counted together"):
        tally.merge(Tally.over(executor, [frames[:2]], keep=True))


def test_merge_refuses_graphs_with_zeros_elsewhere() -> None:
    def counted(*zeros: int) -> Tally:
        weight = torch.ones(3, 4)
        weight[0, list(zeros)] = 0
        graph = Graph()
        graph.add("x", Input((4,), Domain.SPIKE, True))
        graph.add("layer", Linear(weight, None), ["x"])
        graph.outputs = ("layer",)
        return Tally.over(Interpreter(graph), [torch.tensor([1.0, 0, 0, 0]).expand(2, 1, 4)])

    assert counted(0).merge(counted(0)).total("layer", Term.SOP_EFFECTIVE) == 2 * 2 * 2
    assert counted(1).merge(counted(1)).total("layer", Term.SOP_EFFECTIVE) == 2 * 2 * 3
    for one, other in (((0,), (1,)), ((0,), ()), ((0,), (0, 1))):
        with pytest.raises(UsageError, match="different graphs"):
            counted(*one).merge(counted(*other))


def test_pieces_of_a_batch_are_added_together_or_not_at_all(
    small_net: Graph, frames: Tensor
) -> None:
    executor = Interpreter(small_net, torch.float64)
    for tally in (Tally.over(executor, [frames], keep=True), Tally(small_net, keep=True)):
        before, extent = all_counts(tally), (tally.steps, tally.samples)
        pieces = [tally.count(executor, part)[1] for part in (frames[:, :4], frames[:3, 4:])]
        with pytest.raises(UsageError, match="T = 4 and of T = 3"):
            tally.add(*pieces)
        assert all_counts(tally) == before and (tally.steps, tally.samples) == extent
    parts = [tally.count(executor, part)[1] for part in (frames[:, :4], frames[:, 4:])]
    tally.add(*parts)
    assert all_counts(tally) == all_counts(Tally.over(executor, [frames], keep=True))


def test_tallies_cross_process_borders(small_net: Graph, frames: Tensor) -> None:
    tally = Tally.over(Interpreter(small_net), [frames], keep=True)
    copy = pickle.loads(pickle.dumps(tally))
    assert all_counts(copy) == all_counts(tally)
    assert copy.merge(tally).samples == 14


def test_integer_executors_count_alike() -> None:
    net, frames = _net_and_frames()

    class Whole:
        graph = net

        def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
            def as_integers(node: Node, value: Tensor) -> None:
                if tap is not None:
                    tap(node, value.long() if node.domain.is_whole else value)

            return Interpreter(net).run(frames, as_integers)

    assert all_counts(Tally.over(Whole(), [frames], keep=True)) == all_counts(
        Tally.over(Interpreter(net), [frames], keep=True)
    )


def test_memory_does_not_grow_with_the_samples() -> None:
    net, frames = _net_and_frames()
    executor = Interpreter(net)

    def size(tally: Tally) -> int:
        return len(pickle.dumps(tally))

    few = Tally.over(executor, [frames[:, :1]] * 2)
    many = Tally.over(executor, [frames[:, :1]] * 200)
    assert many.samples == 200
    assert size(many) <= size(few) + 16
    with pytest.raises(UsageError, match="not kept"):
        many.sample_counts("conv", Term.SOP)
    kept = Tally.over(executor, [frames[:, :1]] * 200, keep=True)
    assert sum(block.nbytes for block in kept._rows) == 200 * 8 * len(kept.keys)


def test_streamed_statistics_are_those_of_the_samples(small_net: Graph, frames: Tensor) -> None:
    tally = Tally.over(Interpreter(small_net, torch.float64), frames.split(2, dim=1), keep=True)
    coefficients = {("conv1", Term.SOP): Fraction(9, 10), ("conv2", Term.SOP): Fraction(1, 3)}
    values = sum(float(c) * tally.sample_counts(*key) for key, c in coefficients.items())
    expected = statistics(values)
    found = tally.statistics(coefficients, "normal")
    assert found.std is not None and found.std > 0
    assert found.mean == pytest.approx(expected.mean, rel=1e-14)
    assert found.std == pytest.approx(expected.std, rel=1e-12)
    assert found.low == pytest.approx(expected.low, rel=1e-12)


def test_bootstrap_of_a_stream_agrees_with_the_usual_one() -> None:
    graph = Graph()
    graph.add("x", Input((32,), Domain.SPIKE, True))
    graph.add("a", Linear(torch.ones(3, 32), None), ["x"])
    graph.outputs = ("a",)
    make = torch.Generator().manual_seed(0)
    rates = torch.rand(200, 1, generator=make)
    frames = (torch.rand(2, 200, 32, generator=make) < rates).float()
    tally = Tally(graph, keep=True, seed=3)
    tally.run(Interpreter(graph), frames, range(200))
    found = tally.statistics({("a", Term.SOP): 1}, "bootstrap")
    usual = statistics(tally.sample_counts("a", Term.SOP), "bootstrap")
    assert found.low is not None and usual.low is not None
    assert found.high is not None and usual.high is not None
    assert found.high - found.low == pytest.approx(usual.high - usual.low, rel=0.1)
    assert found.low < found.mean < found.high
    shuffled = Tally(graph, seed=3)
    for part in torch.randperm(200, generator=make).split(7):
        shuffled.run(Interpreter(graph), frames[:, part], part.tolist())
    assert shuffled.statistics({("a", Term.SOP): 1}, "bootstrap") == found
    other = Tally.over(Interpreter(graph), [frames], seed=4)
    assert other.statistics({("a", Term.SOP): 1}, "bootstrap") != found


def test_layers_and_samples_as_tables(small_net: Graph, frames: Tensor) -> None:
    tally = Tally.over(Interpreter(small_net), [frames], keep=True)
    layers, rows = tally.layers, tally.per_sample
    assert list(layers.columns) == [name for name in LAYER_COLUMNS if name in layers.columns]
    assert layers.set_index("node").loc["conv2", "output_shape"] == "5x3x3"
    for name in ("conv1", "conv2", "head"):
        chosen = rows[rows["node"] == name]
        assert chosen["sop"].tolist() == tally.sample_counts(name, Term.SOP).tolist()
        assert chosen["sample"].tolist() == list(range(7))
    assert rows[rows["node"] == "lif1"]["sop"].isna().all()
    assert tally.ledger.complete


def test_large_products_stay_exact() -> None:
    counts = np.array([[2**40 - 1, 3], [2**39 + 12345, 7], [1, 0]])
    moments = Moments(2)
    for row in counts:
        moments.add(row[None])
    as_whole = counts.astype(object)
    assert (moments.products([0, 1]) == as_whole.T @ as_whole).all()


def test_counts_that_sums_cannot_hold_are_refused() -> None:
    with pytest.raises(UsageError, match="exact sums"):
        check_range(np.array([2**40]), 1)
