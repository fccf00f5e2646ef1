"""Ops that are not synapses: their columns, against loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
import torch
import torch.nn.functional as F

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    IF,
    LIF,
    OPS,
    AdaptiveAvgPool,
    Add,
    AddConstant,
    AddPerStep,
    AvgPool,
    BatchNorm,
    ChannelNeuron,
    Complement,
    Concat,
    Delay,
    Input,
    Linear,
    MaxPool,
    Mean,
    MeanTime,
    Multiply,
    MultiplyConstant,
    Op,
    Permute,
    RepeatTime,
    Reshape,
    Scale,
    Slice,
    Subtract,
    Sum,
    SumTime,
    Tile,
    ZeroPad,
)
from spikeport.estimate import Coverage, Tally, Term
from spikeport.estimate.tally import RULES


def spikes(*shape: int) -> torch.Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(4)) < 0.4).float()


def window_sizes(pool: MaxPool | AvgPool, shape: tuple[int, ...]) -> list[int]:
    """Input elements inside each window of one map."""
    channels, height, width = shape
    _, rows, columns = pool.infer_shape(shape)
    (kh, kw), (sh, sw), (ph, pw) = pool.kernel, pool.stride, pool.padding
    return [
        sum(
            0 <= r * sh + i - ph < height and 0 <= c * sw + j - pw < width
            for i in range(kh)
            for j in range(kw)
        )
        for _ in range(channels)
        for r in range(rows)
        for c in range(columns)
    ]


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "shape"),
    [
        ((3, 3), (2, 2), (1, 1), (2, 6, 6)),
        ((2, 2), (2, 2), (0, 0), (3, 5, 4)),
        ((4, 3), (1, 2), (2, 1), (1, 2, 3)),
    ],
)
class TestPools:
    def test_maximum_of_currents(self, count_chain, kernel, stride, padding, shape):  # type: ignore[no-untyped-def]
        pool = MaxPool(kernel, stride, padding)
        tally = count_chain(torch.randn(3, 2, *shape), Domain.REAL, pool)
        expected = 6 * sum(size - 1 for size in window_sizes(pool, shape))
        assert tally.total("layer", Term.POOL_COMPARE) == expected
        assert tally.total("layer", Term.OR) == 0

    def test_maximum_of_spikes(self, count_chain, kernel, stride, padding, shape):  # type: ignore[no-untyped-def]
        pool = MaxPool(kernel, stride, padding)
        tally = count_chain(spikes(3, 2, *shape), Domain.SPIKE, pool)
        expected = 6 * sum(size - 1 for size in window_sizes(pool, shape))
        assert tally.total("layer", Term.OR) == expected
        assert tally.total("layer", Term.POOL_COMPARE) == 0

    def test_average_of_real_values(self, count_chain, kernel, stride, padding, shape):  # type: ignore[no-untyped-def]
        pool = AvgPool(kernel, stride, padding, True)
        tally = count_chain(torch.randn(3, 2, *shape), Domain.REAL, pool)
        sizes = window_sizes(pool, shape)
        assert tally.total("layer", Term.POOL_ADD) == 6 * sum(size - 1 for size in sizes)
        assert tally.total("layer", Term.MULTIPLY) == 6 * len(sizes)

    def test_average_of_spikes(self, count_chain, kernel, stride, padding, shape):  # type: ignore[no-untyped-def]
        pool, x = AvgPool(kernel, stride, padding, True), spikes(3, 2, *shape)
        tally = count_chain(x, Domain.SPIKE, pool)
        sums = F.avg_pool2d(x.flatten(0, 1), kernel, stride, padding, divisor_override=1)
        assert tally.total("layer", Term.POOL_ADD) == int(sums.sum())


def test_sums_and_means(count_chain: Callable[..., Tally]) -> None:
    x = spikes(3, 2, 4, 5)
    assert count_chain(x, Domain.SPIKE, Sum((1,))).total("layer", Term.POOL_ADD) == int(x.sum())
    assert count_chain(x, Domain.SPIKE, Mean((0,))).total("layer", Term.POOL_ADD) == int(x.sum())
    assert count_chain(x, Domain.SPIKE, MeanTime()).total("layer", Term.POOL_ADD) == int(x.sum())
    assert count_chain(x, Domain.SPIKE, SumTime()).total("layer", Term.POOL_ADD) == int(x.sum())
    real = count_chain(x, Domain.REAL, SumTime())
    assert real.total("layer", Term.POOL_ADD) == 2 * 20 * (3 - 1)
    assert real.total("layer", Term.MULTIPLY) == 0
    real = count_chain(x, Domain.REAL, Sum((1,)))
    assert real.total("layer", Term.POOL_ADD) == 3 * 2 * 4 * (5 - 1)
    assert real.total("layer", Term.MULTIPLY) == 0
    in_time = count_chain(x, Domain.REAL, MeanTime())
    assert in_time.total("layer", Term.POOL_ADD) == 2 * 20 * (3 - 1)
    assert in_time.total("layer", Term.MULTIPLY) == 2 * 20


@pytest.mark.parametrize(
    ("neuron", "additions", "multiplications"),
    [
        (LIF(2.0, True, 1.0, 0.0), 2, 1),
        (LIF(2.0, False, 1.0, None), 2, 1),
        (LIF(2.0, True, 1.0, 0.1), 3, 1),
        (IF(1.0, 0.0), 1, 0),
        (ChannelNeuron(None, None, True, torch.rand(4, 1), 0.0), 1, 0),
        (ChannelNeuron(torch.rand(4, 1) + 1, None, True, torch.ones(5), None), 2, 1),
        (ChannelNeuron(None, torch.rand(4, 1), False, torch.ones(5), 0.2), 3, 1),
    ],
)
def test_neurons(
    count_chain: Callable[..., Tally],
    neuron: LIF | IF | ChannelNeuron,
    additions: int,
    multiplications: int,
) -> None:
    x = 2 * torch.rand((3, 2, 4, 5), generator=torch.Generator().manual_seed(0))
    tally = count_chain(x, Domain.REAL, neuron)
    state, fired = neuron.initial(x[0]), []
    for current in x:
        state, out = neuron.step(state, current)
        fired.append(int(out.sum()))
    assert sum(fired) > 0
    assert list(tally.per_step("layer", Term.SPIKES_OUT)) == [*fired, 0]
    assert tally.total("layer", Term.NEURON_RESET) == sum(fired)
    assert tally.total("layer", Term.NEURON_ADD) == additions * x.numel()
    assert tally.total("layer", Term.NEURON_MUL) == multiplications * x.numel()
    assert tally.total("layer", Term.NEURON_COMPARE) == x.numel()
    assert tally.plans["layer"].footprint.state == 4 * 20
    assert tally.plans["layer"].footprint.activations == -(-20 // 8)


def test_neuron_of_another_package(count_chain: Callable[..., Tally]) -> None:
    @dataclass(frozen=True, eq=False)
    class Stranger(IF):
        pass

    @dataclass(frozen=True, eq=False)
    class Unrelated(LIF.__base__):  # type: ignore[misc, name-defined]
        def initial(self, current: torch.Tensor) -> object:
            return IF(1.0, 0.0).initial(current)

        def step(self, state: object, current: torch.Tensor) -> object:
            return IF(1.0, 0.0).step(state, current)  # type: ignore[arg-type]

    x = torch.ones(3, 2, 4)
    assert count_chain(x, Domain.REAL, Stranger(1.0, 0.0)).total("layer", Term.NEURON_ADD) == 24
    tally = count_chain(x, Domain.REAL, Unrelated())
    assert tally.total("layer", Term.SPIKES_OUT) == 24
    assert Term.NEURON_ADD not in tally.plans["layer"].terms
    assert "not known" in tally.plans["layer"].notes[0]


def two_inputs(op: Add | Subtract | Multiply, left: Domain, right: Domain) -> Tally:
    graph = Graph()
    graph.add("x", Input((2, 4), Domain.SPIKE, True))
    graph.add("real", Scale(0.3), ["x"])
    graph.add("currents", BatchNorm(torch.zeros(2), torch.ones(2), None, None, 0.0), ["x"])
    of = {Domain.SPIKE: "x", Domain.SCALED: "real", Domain.REAL: "currents"}
    graph.add("layer", op, [of[left], of[right]])
    graph.outputs = ("layer",)
    tally = Tally(graph)
    tally.run(Interpreter(graph), spikes(3, 2, 2, 4))
    return tally


def test_masks_are_gates_without_sop() -> None:
    for other in (Domain.SPIKE, Domain.SCALED, Domain.REAL):
        tally = two_inputs(Multiply(), Domain.SPIKE, other)
        assert tally.total("layer", Term.AND) == 3 * 2 * 8
        assert Term.SOP not in tally.plans["layer"].terms
    tally = two_inputs(Multiply(), Domain.REAL, Domain.REAL)
    assert tally.total("layer", Term.MULTIPLY) == 3 * 2 * 8
    assert tally.total("layer", Term.AND) == 0


@pytest.mark.parametrize("op", [Add(), Subtract()])
def test_residual_additions(op: Add | Subtract) -> None:
    tally = two_inputs(op, Domain.SPIKE, Domain.REAL)
    assert tally.total("layer", Term.RESIDUAL_ADD) == 3 * 2 * 8


def test_constants(count_chain: Callable[..., Tally]) -> None:
    x = spikes(3, 2, 2, 4)
    for op in (AddConstant(torch.rand(2, 1)), AddPerStep(torch.rand(3, 2, 4))):
        assert count_chain(x, Domain.SPIKE, op).total("layer", Term.BIAS_ADD) == 3 * 2 * 8
    tally = count_chain(x, Domain.SPIKE, MultiplyConstant(torch.rand(2, 1)))
    assert tally.total("layer", Term.MULTIPLY) == 3 * 2 * 8
    static = count_chain(x[0], Domain.REAL, AddConstant(torch.rand(4)), per_step=False)
    assert static.total("layer", Term.BIAS_ADD) == 2 * 8


def test_the_opposite_of_a_spike_is_free_and_its_events_are_counted(
    count_chain: Callable[..., Tally],
) -> None:
    x = spikes(3, 2, 2, 4)
    tally = count_chain(x, Domain.SPIKE, Complement(), Linear(torch.rand(5, 4), None))
    assert tally.plans["op0"].status is Coverage.ZERO
    assert tally.total("layer", Term.SOP) == 5 * int((x == 0).sum())
    graded = count_chain(x, Domain.GRADED, Complement())
    assert graded.total("layer", Term.RESIDUAL_ADD) == 3 * 2 * 8


@pytest.mark.parametrize(
    ("size", "output"), [((6, 4), (2, 2)), ((5, 7), (3, 2)), ((3, 3), (4, 2)), ((6,), (4,))]
)
def test_adaptive_averages(
    count_chain: Callable[..., Tally], size: tuple[int, ...], output: tuple[int, ...]
) -> None:
    op, x = AdaptiveAvgPool(size, output), spikes(3, 2, 2, *size)
    additions, inside = 0, 0
    for position in product(*op.windows()):
        window = x
        for axis, window_range in enumerate(position):
            window = window.narrow(3 + axis, window_range.start, len(window_range))
        additions += int(window.sum())
        inside += 2 * math.prod(len(each) for each in position)
    assert count_chain(x, Domain.SPIKE, op).total("layer", Term.POOL_ADD) == additions
    real = count_chain(x, Domain.REAL, op)
    assert real.total("layer", Term.POOL_ADD) == 3 * 2 * (inside - 2 * math.prod(output))
    assert real.total("layer", Term.MULTIPLY) == 3 * 2 * 2 * math.prod(output)


def test_a_layer_behind_an_even_average_counts_the_spikes_before_it(
    count_chain: Callable[..., Tally],
) -> None:
    x = spikes(3, 2, 2, 6)
    linear = Linear(torch.rand(5, 3), None)
    even = count_chain(x, Domain.SPIKE, AdaptiveAvgPool((6,), (3,)), linear)
    assert even.plans["layer"].commuted
    assert even.total("layer", Term.SOP) == 5 * int(x.sum())
    assert even.plans["op0"].status is Coverage.ZERO


def test_copies_of_adaptive_averages_are_free(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(spikes(3, 2, 2, 2), Domain.SPIKE, AdaptiveAvgPool((2,), (6,)))
    assert tally.plans["layer"].status is Coverage.ZERO


def test_pools_over_one_axis(count_chain: Callable[..., Tally]) -> None:
    x = spikes(3, 2, 4, 9)
    maximum = count_chain(x, Domain.REAL, MaxPool((3,), (2,), (1,)))
    # Windows of 2, 3, 3, 3 and 2 elements inside the input.
    assert maximum.total("layer", Term.POOL_COMPARE) == 3 * 2 * 4 * (1 + 2 + 2 + 2 + 1)
    average = count_chain(x, Domain.SPIKE, AvgPool((3,), (3,), (0,), True))
    assert average.total("layer", Term.POOL_ADD) == int(x.sum())
    behind = count_chain(
        x, Domain.SPIKE, AvgPool((3,), (3,), (0,), True), Linear(torch.rand(5, 3), None)
    )
    assert behind.total("layer", Term.SOP) == 5 * int(x.sum())


def test_a_delay_holds_state_and_computes_nothing() -> None:
    graph = Graph(outputs=("spikes",))
    graph.add("x", Input((4,), Domain.REAL, True))
    graph.add("before", Delay("spikes", (4,), Domain.SPIKE))
    graph.add("weights", Linear(torch.rand(4, 4), None), ["before"])
    graph.add("sum", Add(), ["x", "weights"])
    graph.add("spikes", IF(0.5, 0.0), ["sum"])
    tally, x = Tally(graph), torch.rand(5, 3, 4)
    seen: list[torch.Tensor] = []
    Interpreter(graph).run(
        x, lambda node, value: seen.append(value.clone()) if node.name == "spikes" else None
    )
    tally.run(Interpreter(graph), x)
    assert tally.plans["before"].status is Coverage.ZERO
    assert tally.plans["before"].footprint.state == 1
    assert tally.total("weights", Term.SOP) == 4 * int(seen[0][:-1].sum()) > 0


def test_unfolded_batch_norm(count_chain: Callable[..., Tally]) -> None:
    op = BatchNorm(torch.zeros(2), torch.ones(2), torch.ones(2), torch.ones(2), 1e-5)
    tally = count_chain(torch.randn(3, 2, 2, 4), Domain.REAL, op)
    assert tally.total("layer", Term.NORM_ADD) == tally.total("layer", Term.NORM_MUL) == 48
    assert "not folded" in tally.plans["layer"].notes[0]


def test_scale_of_real_values(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(torch.randn(3, 2, 4), Domain.REAL, Scale(0.125))
    assert tally.total("layer", Term.MULTIPLY) == 24


@pytest.mark.parametrize(
    "op",
    [
        Reshape((8,)),
        Permute((1, 0)),
        Scale(0.5),
        Slice(1, 0, 2),
        Tile((2, 1)),
        ZeroPad((1, 0), (0, 2)),
        Complement(),
    ],
)
def test_zero_by_rule(count_chain: Callable[..., Tally], op: Op) -> None:
    tally = count_chain(spikes(3, 2, 2, 4), Domain.SPIKE, op)
    assert tally.plans["layer"].status is Coverage.ZERO
    assert tally.plans["layer"].reason
    assert not tally.plans["layer"].terms


def test_joining_is_zero_by_rule() -> None:
    graph = Graph(outputs=("layer",))
    graph.add("x", Input((2, 4), Domain.SPIKE, True))
    graph.add("layer", Concat(0), ["x", "x", "x"])
    tally = Tally(graph)
    tally.run(Interpreter(graph), spikes(3, 2, 2, 4))
    assert tally.plans["layer"].status is Coverage.ZERO


def test_every_op_has_a_counting_rule() -> None:
    """An op without a rule shows up as UNCOUNTED in reports."""
    own = [cls for cls in OPS.values() if cls.__module__.startswith("spikeport.convert")]
    assert len(own) > 25
    assert [cls.kind for cls in own if RULES.find(cls) is None] == []


def test_repeat_is_zero_by_rule(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(torch.rand(2, 3), Domain.REAL, RepeatTime(4), per_step=False)
    assert tally.plans["layer"].status is Coverage.ZERO
    assert tally.steps == 4
