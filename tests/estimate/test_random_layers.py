"""Hundreds of random small layers of each kind, every count against plain loops.

`test_conv.py` and `test_matmul.py` do the same for convolutions and products of activations.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import (
    IF,
    LIF,
    AdaptiveAvgPool,
    Add,
    AvgPool,
    Input,
    Linear,
    MaxPool,
    Mean,
    MeanTime,
    Multiply,
    Op,
    Scale,
    Subtract,
    Sum,
    SumTime,
)
from spikeport.estimate import Tally, Term

CASES = 200
Counts = Counter[Term]
Chain = Callable[..., Tally]


def values(draw: random.Random, domain: Domain, *shape: int) -> Tensor:
    """Frames of a domain; multiples of 1/8, so that no sum of them is rounded."""
    make = torch.Generator().manual_seed(draw.randrange(1 << 30))
    kept = torch.rand(shape, generator=make) < draw.random()
    if domain is Domain.SPIKE:
        return kept.float()
    if domain is Domain.GRADED:
        return (torch.randint(-3, 4, shape, generator=make) * kept).float()
    return (torch.randint(-16, 17, shape, generator=make) * kept).float() / 8


def places(shape: tuple[int, ...]) -> itertools.product[tuple[int, ...]]:
    return itertools.product(*map(range, shape))


def agree(tally: Tally, expected: Counts, sample: int, name: str = "layer") -> None:
    """Every term that the plan has, and no other, holds what the loops found."""
    terms = tally.plans[name].terms
    assert {term for term, count in expected.items() if count} <= terms
    for term in terms - {Term.SITES, Term.MAC_HOISTED, Term.MAC_PADDED_HOISTED}:
        assert int(tally.sample_counts(name, term)[sample]) == expected[term], term


def any_domain(draw: random.Random) -> Domain:
    return draw.choice([Domain.SPIKE, Domain.GRADED, Domain.REAL])


def linear_by_loops(op: Linear, domain: Domain, x: Tensor) -> Counts:
    """`x` is `[T, *rows, in]` of one sample."""
    found: Counts = Counter()
    for row in x.reshape(-1, op.in_features).tolist():
        for o in range(op.out_features):
            found[Term.BIAS_ADD] += op.bias is not None
            for i, value in enumerate(row):
                if domain is Domain.REAL:
                    found[Term.MAC] += 1
                    found[Term.MAC_PADDED] += 1
                    continue
                found[Term.DENSE] += 1
                found[Term.DENSE_PADDED] += 1
                if value:
                    found[Term.SOP] += 1
                    found[Term.SOP_UNITS] += round(abs(value))
                    found[Term.SOP_EFFECTIVE] += bool(op.weight[o, i])
        if domain is not Domain.REAL:
            found[Term.EVENTS_IN] += sum(map(bool, row))
            found[Term.UNITS_IN] += round(sum(map(abs, row)))
    return found


def test_linear(count_chain: Chain) -> None:
    draw = random.Random(1)
    for _ in range(CASES):
        inner, outer = draw.randint(1, 5), draw.randint(1, 5)
        weight = torch.randn(outer, inner)
        if draw.random() < 0.5:
            weight *= torch.rand(outer, inner) < 0.6
        op = Linear(weight, torch.randn(outer) if draw.random() < 0.5 else None)
        rows, domain = [draw.randint(1, 3) for _ in range(draw.randint(0, 2))], any_domain(draw)
        x = values(draw, domain, draw.randint(1, 3), 2, *rows, inner)
        tally = count_chain(x, domain, op)
        for sample in range(2):
            agree(tally, linear_by_loops(op, domain, x[:, sample]), sample)


def window_axes(draw: random.Random, axes: int) -> tuple[tuple[int, ...], ...]:
    """(kernel, stride, padding, size) by axis; PyTorch pads a window by half of it at most."""
    kernel = tuple(draw.randint(1, 4) for _ in range(axes))
    stride = tuple(draw.randint(1, 4) for _ in range(axes))
    padding = tuple(draw.randint(0, k // 2) for k in kernel)
    size = tuple(draw.randint(max(1, k - 2 * p), 7) for k, p in zip(kernel, padding, strict=True))
    return kernel, stride, padding, size


def windows(op: MaxPool | AvgPool, x: Tensor) -> list[list[float]]:
    """What each window of each step and channel reads: `x` is `[T, C, *space]`."""
    space = op.infer_shape(tuple(x.shape[1:]))[1:]
    found = []
    for step, channel, *out in places((*x.shape[:2], *space)):
        inside = []
        for tap in places(op.kernel):
            at = tuple(
                o * s + k - p for o, s, k, p in zip(out, op.stride, tap, op.padding, strict=True)
            )
            if all(0 <= a < n for a, n in zip(at, x.shape[2:], strict=True)):
                inside.append(float(x[(step, channel, *at)]))
        found.append(inside)
    return found


def averaged(domain: Domain, parts: list[list[float]], *, divides: bool = True) -> Counts:
    found: Counts = Counter()
    for inside in parts:
        if domain is Domain.REAL:
            found[Term.POOL_ADD] += len(inside) - 1
            found[Term.MULTIPLY] += divides
        else:
            found[Term.POOL_ADD] += sum(map(bool, inside))
    return found


def test_max_pools(count_chain: Chain) -> None:
    draw = random.Random(2)
    for _ in range(CASES):
        kernel, stride, padding, size = window_axes(draw, draw.randint(1, 2))
        op, domain = MaxPool(kernel, stride, padding), any_domain(draw)
        x = values(draw, domain, draw.randint(1, 2), 2, draw.randint(1, 2), *size)
        tally = count_chain(x, domain, op)
        term = Term.OR if domain is Domain.SPIKE else Term.POOL_COMPARE
        for sample in range(2):
            taken = sum(len(inside) - 1 for inside in windows(op, x[:, sample]))
            agree(tally, Counter({term: taken}), sample)


def test_average_pools(count_chain: Chain) -> None:
    draw = random.Random(3)
    for _ in range(CASES):
        kernel, stride, padding, size = window_axes(draw, draw.randint(1, 2))
        op, domain = AvgPool(kernel, stride, padding, draw.random() < 0.5), any_domain(draw)
        x = values(draw, domain, draw.randint(1, 2), 2, draw.randint(1, 2), *size)
        tally = count_chain(x, domain, op)
        for sample in range(2):
            agree(tally, averaged(domain, windows(op, x[:, sample])), sample)


def test_adaptive_averages(count_chain: Chain) -> None:
    draw = random.Random(4)
    for _ in range(CASES):
        size = tuple(draw.randint(1, 7) for _ in range(draw.randint(1, 2)))
        output = tuple(draw.randint(1, 5) for _ in size)
        domain = any_domain(draw)
        x = values(draw, domain, draw.randint(1, 2), 2, draw.randint(1, 2), *size)
        tally = count_chain(x, domain, AdaptiveAvgPool(size, output))
        # Output o reads from floor(o n / m) to ceil((o + 1) n / m).
        spans = [
            [range(o * n // m, -(-(o + 1) * n // m)) for o in range(m)]
            for n, m in zip(size, output, strict=True)
        ]
        copies = all(len(span) == 1 for axis in spans for span in axis)
        for sample in range(2):
            parts = [
                [float(x[(step, sample, channel, *at)]) for at in itertools.product(*position)]
                for step, channel in places((x.shape[0], x.shape[2]))
                for position in itertools.product(*spans)
            ]
            agree(tally, Counter() if copies else averaged(domain, parts), sample)


def test_sums_and_means_over_axes(count_chain: Chain) -> None:
    draw = random.Random(5)
    for _ in range(CASES):
        shape = tuple(draw.randint(1, 4) for _ in range(draw.randint(1, 3)))
        axes = tuple(sorted(draw.sample(range(len(shape)), draw.randint(1, len(shape)))))
        cls, domain = draw.choice([Sum, Mean]), any_domain(draw)
        x = values(draw, domain, draw.randint(1, 3), 2, *shape)
        tally = count_chain(x, domain, cls(axes, draw.random() < 0.5))
        for sample in range(2):
            groups: dict[tuple[int, ...], list[float]] = {}
            for step, *at in places((x.shape[0], *shape)):
                key = (step, *(a for axis, a in enumerate(at) if axis not in axes))
                groups.setdefault(key, []).append(float(x[(step, sample, *at)]))
            agree(tally, averaged(domain, list(groups.values()), divides=cls is Mean), sample)


def test_sums_and_means_over_time(count_chain: Chain) -> None:
    draw = random.Random(6)
    for _ in range(CASES):
        shape = tuple(draw.randint(1, 4) for _ in range(draw.randint(1, 3)))
        cls, domain = draw.choice([SumTime, MeanTime]), any_domain(draw)
        x = values(draw, domain, draw.randint(1, 4), 2, *shape)
        tally = count_chain(x, domain, cls())
        for sample in range(2):
            parts = [
                [float(x[(step, sample, *at)]) for step in range(len(x))] for at in places(shape)
            ]
            agree(tally, averaged(domain, parts, divides=cls is MeanTime), sample)


def two_operands(op: Op, left: Domain, right: Domain, x: Tensor) -> Tally:
    """One input, read as it is and times 0.5, or as currents."""
    graph = Graph(outputs=("layer",))
    graph.add("x", Input(tuple(x.shape[2:]), Domain.SPIKE, True))
    graph.add("scaled", Scale(0.5), ["x"])
    graph.add("real", Linear(torch.eye(x.shape[-1]), None), ["x"])
    by_domain = {Domain.SPIKE: "x", Domain.SCALED: "scaled", Domain.REAL: "real"}
    graph.add("layer", op, [by_domain[left], by_domain[right]])
    tally = Tally(graph, keep=True)
    tally.run(Interpreter(graph, torch.float64), x)
    return tally


def test_products_and_sums_of_two_edges() -> None:
    draw = random.Random(7)
    for _ in range(CASES):
        shape = tuple(draw.randint(1, 4) for _ in range(draw.randint(1, 3)))
        x = values(draw, Domain.SPIKE, draw.randint(1, 3), 2, *shape)
        left, right = (draw.choice([Domain.SPIKE, Domain.SCALED, Domain.REAL]) for _ in range(2))
        op = draw.choice([Multiply(), Add(), Subtract()])
        tally = two_operands(op, left, right, x)
        for sample in range(2):
            found: Counts = Counter()
            for step, *at in places((x.shape[0], *shape)):
                if not isinstance(op, Multiply):
                    found[Term.RESIDUAL_ADD] += 1
                elif Domain.SPIKE in (left, right):
                    found[Term.AND] += 1
                    masks = [left, right].count(Domain.SPIKE)
                    found[Term.EVENTS_IN] += masks * int(x[(step, sample, *at)])
                else:
                    found[Term.MULTIPLY] += 1
            agree(tally, found, sample)


def neuron_by_loops(op: IF | LIF, x: Tensor) -> Counts:
    """One neuron after the other through time, each operation counted as it is done."""
    found: Counts = Counter()
    for at in places(tuple(x.shape[1:])):
        rest = op.v_reset or 0.0
        v = rest
        for step in range(len(x)):
            current = float(x[(step, *at)])
            if isinstance(op, LIF):
                leak = v
                if rest:
                    leak -= rest
                    found[Term.NEURON_ADD] += 1
                if op.decay_input:
                    v = v + (current - leak) * (1 / op.tau)
                else:
                    v = v - leak * (1 / op.tau) + current
                found[Term.NEURON_ADD] += 2
                found[Term.NEURON_MUL] += 1
            else:
                v = v + current
                found[Term.NEURON_ADD] += 1
            found[Term.NEURON_COMPARE] += 1
            if v >= op.v_threshold:
                found[Term.SPIKES_OUT] += 1
                found[Term.NEURON_RESET] += 1
                v = v - op.v_threshold if op.v_reset is None else rest
    return found


def test_neurons(count_chain: Chain) -> None:
    draw = random.Random(8)
    fired = 0
    for _ in range(CASES):
        # Multiples of powers of two: no sum is rounded on either side.
        threshold, reset = draw.choice([0.5, 1.0, 1.25]), draw.choice([None, 0.0, -0.25, 0.25])
        decay = draw.random() < 0.5
        op = draw.choice(
            [IF(threshold, reset), LIF(draw.choice([2.0, 4.0]), decay, threshold, reset)]
        )
        shape = tuple(draw.randint(1, 4) for _ in range(draw.randint(1, 3)))
        x = values(draw, Domain.REAL, draw.randint(1, 5), 2, *shape)
        tally = count_chain(x, Domain.REAL, op)
        for sample in range(2):
            found = neuron_by_loops(op, x[:, sample])
            fired += found[Term.SPIKES_OUT]
            agree(tally, found, sample)
    assert fired > CASES
