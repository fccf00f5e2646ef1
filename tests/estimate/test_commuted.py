"""Layers behind a constant scale: operations counted where the events arise."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.ops import (
    AvgPool,
    Conv,
    Linear,
    Mean,
    MeanTime,
    Op,
    Permute,
    Reshape,
    Scale,
)
from spikeport.estimate import Coverage, Tally, Term


def spikes(*shape: int) -> torch.Tensor:
    return (torch.rand(shape, generator=torch.Generator().manual_seed(2)) < 0.4).float()


def reach(ops: tuple[Op, ...], shape: tuple[int, ...]) -> torch.Tensor:
    """Outputs that each input element changes, by setting one element at a time: `[*shape]`.

    All weights are 1 and all taps add, so an element that reaches an output changes it.
    """
    found = torch.zeros(shape)
    for place in itertools.product(*map(range, shape)):
        x = torch.zeros(1, 1, *shape)
        x[(0, 0, *place)] = 1
        for op in ops:
            x = x.mean(0, keepdim=True) if isinstance(op, MeanTime) else op.apply(x[0])[None]
        found[place] = x.count_nonzero()
    return found


@pytest.mark.parametrize(
    ("ops", "shape"),
    [
        ((MeanTime(), Linear(torch.ones(3, 5), None)), (5,)),
        ((Scale(0.125), Linear(torch.ones(3, 5), None)), (2, 5)),
        ((Mean((1, 2)), Linear(torch.ones(3, 5), None)), (5, 2, 3)),
        ((Mean((0,), True), Linear(torch.ones(3, 5), None)), (2, 5)),
        ((Mean((1, 2)), Scale(2.0), MeanTime(), Linear(torch.ones(3, 5), None)), (5, 2, 3)),
        (
            (
                AvgPool((2, 2), (2, 2), (0, 0), True),
                Conv(torch.ones(3, 2, 3, 3), None, (1, 1), (1, 1), (1, 1)),
            ),
            (2, 6, 5),
        ),
        (
            (
                AvgPool((2, 1), (3, 2), (1, 0), True),
                Conv(torch.ones(4, 1, 2, 2), None, (1, 2), (0, 1), (1, 1), 2),
            ),
            (2, 7, 6),
        ),
        (
            (
                AvgPool((2, 2), (2, 2), (0, 0), True),
                Permute((1, 2, 0)),
                Reshape((18,)),
                Linear(torch.ones(3, 18), None),
            ),
            (2, 6, 6),
        ),
    ],
    ids=lambda value: "-".join(op.kind for op in value) if isinstance(value[0], Op) else "",
)
def test_events_at_the_source(
    count_chain: Callable[..., Tally], ops: tuple[Op, ...], shape: tuple[int, ...]
) -> None:
    x = spikes(3, 2, *shape)
    tally = count_chain(x, Domain.SPIKE, *ops)
    assert tally.plans["layer"].commuted
    assert tally.total("layer", Term.SOP) == int((x * reach(ops, shape)).sum())
    assert tally.total("layer", Term.DENSE) == x.shape[0] * x.shape[1] * int(
        reach(ops, shape).sum()
    )
    assert tally.total("layer", Term.EVENTS_IN) == int(x.sum())
    # The scale itself is part of the weights.
    assert tally.plans["op0"].status is Coverage.ZERO
    assert tally.per_step("layer", Term.SOP)[-1] == 0


def test_units_of_graded_events_behind_a_scale(count_chain: Callable[..., Tally]) -> None:
    x = torch.randint(0, 4, (3, 2, 5), generator=torch.Generator().manual_seed(0)).float()
    tally = count_chain(x, Domain.GRADED, MeanTime(), Linear(torch.ones(3, 5), None))
    assert tally.total("layer", Term.SOP) == 3 * int(x.count_nonzero())
    assert tally.total("layer", Term.SOP_UNITS) == 3 * int(x.sum())


def test_overlapping_average_is_counted_at_the_pooled_edge(
    count_chain: Callable[..., Tally],
) -> None:
    x = spikes(2, 1, 1, 5, 5)
    pool = AvgPool((3, 3), (2, 2), (0, 0), True)
    conv = Conv(torch.ones(2, 1, 1, 1), None, (1, 1), (0, 0), (1, 1))
    tally = count_chain(x, Domain.SPIKE, pool, conv)
    pooled = pool.apply(x[:, 0])
    assert tally.total("layer", Term.SOP) == 2 * int(pooled.count_nonzero())
    assert tally.plans["layer"].commuted
    # Then the average is computed, one addition per event and window.
    assert tally.total("op0", Term.POOL_ADD) == int((pooled * 9).round().sum())


def test_average_with_uneven_windows_is_real(count_chain: Callable[..., Tally]) -> None:
    pool = AvgPool((2, 2), (2, 2), (1, 1), False)
    conv = Conv(torch.ones(2, 1, 1, 1), None, (1, 1), (0, 0), (1, 1))
    tally = count_chain(spikes(2, 1, 1, 4, 4), Domain.SPIKE, pool, conv)
    assert tally.total("layer", Term.MAC) == 2 * 2 * 9
    assert not tally.plans["layer"].commuted


def test_the_price_of_a_spatial_mean_is_told(count_chain: Callable[..., Tally]) -> None:
    # The head of Spikformer-8-512 at 224 x 224: 14 x 14 places are averaged.
    head = Linear(torch.ones(1000, 512), None)
    tally = count_chain(torch.ones(2, 1, 512, 14, 14), Domain.SPIKE, Mean((1, 2)), head)
    own = 512 * 1000
    assert tally.total("layer", Term.SOP) == 2 * 196 * own
    (note,) = tally.plans["layer"].notes
    assert note.startswith("commuted: events counted at x, before an average: up to 196 x its own ")
    assert "512,000 connections at each step" in note
    (shown,) = tally.ledger.notes()
    assert shown == f"layer: {note}"


def test_an_average_over_time_has_no_price_of_its_own(count_chain: Callable[..., Tally]) -> None:
    tally = count_chain(spikes(4, 2, 5), Domain.SPIKE, MeanTime(), Linear(torch.ones(3, 5), None))
    assert tally.plans["layer"].notes == ("commuted: events counted at x",)


def test_windows_of_an_average_pool(count_chain: Callable[..., Tally]) -> None:
    pool, conv = AvgPool((2,), (2,), (0,), True), Conv(torch.ones(2, 1, 3), None, (1,), (1,), (1,))
    tally = count_chain(spikes(3, 1, 1, 5), Domain.SPIKE, pool, conv)
    # Two of the pooled places, each with two taps and two elements; the fifth is not read.
    assert tally.total("layer", Term.DENSE) == 3 * 2 * 8
    assert "up to 2 x its own 8 connections" in tally.plans["layer"].notes[0]
