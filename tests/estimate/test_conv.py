"""Convolution against loops over every output, weight and tap."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import Conv, Input, RepeatTime
from spikeport.estimate import Tally, Term
from spikeport.estimate.tally.edge import Edge


@dataclass
class Counts:
    sop: int = 0
    units: int = 0
    effective: int = 0
    dense: int = 0
    padded: int = 0


def loops(op: Conv, x: Tensor) -> Counts:
    """Visit every (output, weight) pair of one map `[C, *space]`."""
    counts = Counts()
    per_group_out = op.out_channels // op.groups
    per_group_in = op.in_channels // op.groups
    space = op.infer_shape(tuple(x.shape))[1:]
    for o in range(op.out_channels):
        first = o // per_group_out * per_group_in
        for place in itertools.product(*map(range, space)):
            for c in range(per_group_in):
                for tap in itertools.product(*map(range, op.kernel)):
                    counts.padded += 1
                    at = tuple(
                        p * s + k * d - pad
                        for p, s, k, d, pad in zip(
                            place, op.stride, tap, op.dilation, op.padding, strict=True
                        )
                    )
                    if any(not 0 <= i < n for i, n in zip(at, x.shape[1:], strict=True)):
                        continue
                    counts.dense += 1
                    value = float(x[(first + c, *at)])
                    if value:
                        counts.sop += 1
                        counts.units += int(abs(value))
                        counts.effective += bool(op.weight[(o, c, *tap)])
    return counts


@st.composite
def cases(draw: st.DrawFn) -> tuple[Conv, Tensor]:
    axes = draw(st.sampled_from([1, 2]))

    def each(low: int, high: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(low, high)) for _ in range(axes))

    groups, per_in, per_out = (draw(st.integers(1, 2)) for _ in range(3))
    kernel, stride, dilation, padding = each(1, 4), each(1, 3), each(1, 2), each(0, 3)
    # Sizes smaller than the kernel are wanted as long as padding makes room for one output.
    size = tuple(
        draw(st.integers(max(1, d * (k - 1) + 1 - 2 * p), 6))
        if d * (k - 1) + 1 - 2 * p <= 6
        else d * (k - 1) + 1 - 2 * p
        for k, d, p in zip(kernel, dilation, padding, strict=True)
    )
    make = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    weight = torch.randn(groups * per_out, per_in, *kernel, generator=make)
    if draw(st.booleans()):
        weight *= torch.rand(weight.shape, generator=make) < 0.7
    op = Conv(weight, None, stride, padding, dilation, groups)
    x = torch.randint(-2, 3, (2, 2, groups * per_in, *size), generator=make).float()
    return op, x


@given(case=cases())
@settings(max_examples=100, deadline=None)
def test_events_of_any_geometry(
    count_chain: Callable[..., Tally], case: tuple[Conv, Tensor]
) -> None:
    op, x = case
    tally, real = count_chain(x, Domain.GRADED, op), count_chain(x, Domain.REAL, op)
    for sample in range(2):
        found = [loops(op, x[step, sample]) for step in range(2)]
        expected = {
            Term.SOP: sum(each.sop for each in found),
            Term.SOP_UNITS: sum(each.units for each in found),
            Term.SOP_EFFECTIVE: sum(each.effective for each in found),
            Term.DENSE: sum(each.dense for each in found),
            Term.DENSE_PADDED: sum(each.padded for each in found),
            Term.EVENTS_IN: int(x[:, sample].count_nonzero()),
            Term.UNITS_IN: int(x[:, sample].abs().sum()),
        }
        assert {
            term: int(tally.sample_counts("layer", term)[sample]) for term in expected
        } == expected
        for term, same in ((Term.MAC, Term.DENSE), (Term.MAC_PADDED, Term.DENSE_PADDED)):
            assert int(real.sample_counts("layer", term)[sample]) == expected[same]


@pytest.mark.parametrize(
    ("shape", "weight", "stride", "padding", "dilation", "groups"),
    [
        ((2, 3), (3, 2, 5), (1,), (2,), (1,), 1),
        ((4, 5, 4), (4, 1, 3, 3), (1, 1), (1, 1), (1, 1), 4),
        ((2, 6, 5), (4, 2, 3, 2), (2, 1), (0, 1), (2, 1), 1),
        ((1, 2, 2), (1, 1, 5, 5), (1, 1), (2, 2), (1, 1), 1),
    ],
    ids=["kernel larger than input", "depth-wise", "strided and dilated", "larger in two axes"],
)
def test_named_geometries(
    count_chain: Callable[..., Tally],
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> None:
    make = torch.Generator().manual_seed(0)
    op = Conv(torch.ones(weight), None, stride, padding, dilation, groups)
    x = (torch.rand((1, 1, *shape), generator=make) < 0.5).float()
    tally, expected = count_chain(x, Domain.SPIKE, op), loops(op, x[0, 0])
    assert tally.total("layer", Term.SOP) == expected.sop
    assert tally.total("layer", Term.DENSE) == expected.dense
    assert tally.total("layer", Term.DENSE_PADDED) == expected.padded


def test_real_input_is_macs(count_chain: Callable[..., Tally]) -> None:
    op = Conv(torch.ones(3, 2, 3, 3), torch.ones(3), (1, 1), (1, 1), (1, 1))
    x = torch.zeros(4, 2, 2, 5, 5)
    tally, expected = count_chain(x, Domain.REAL, op), loops(op, x[0, 0])
    # A blank real frame is not a spike frame: nothing is skipped.
    assert tally.total("layer", Term.MAC) == 4 * 2 * expected.dense
    assert tally.total("layer", Term.MAC_PADDED) == 4 * 2 * expected.padded
    assert tally.total("layer", Term.MAC_HOISTED) == 4 * 2 * expected.dense
    assert tally.total("layer", Term.SOP) == 0
    assert tally.total("layer", Term.BIAS_ADD) == 4 * 2 * 3 * 25


def test_static_image_executed_and_hoisted(count_chain: Callable[..., Tally]) -> None:
    op = Conv(torch.ones(3, 2, 3, 3), None, (1, 1), (1, 1), (1, 1))
    x = torch.rand(2, 2, 5, 5)
    tally = count_chain(x, Domain.REAL, RepeatTime(4), op, per_step=False)
    dense = loops(op, x[0]).dense
    assert tally.total("layer", Term.MAC) == 2 * 4 * dense
    assert tally.total("layer", Term.MAC_HOISTED) == 2 * dense
    assert tally.total("layer", Term.MAC_PADDED_HOISTED) == 2 * 3 * 25 * 18


def test_sums_beyond_float32(count_chain: Callable[..., Tally]) -> None:
    # 2 x 600 x 600 events, 9 x 24 weights each: more than 2^24, where float32 skips whole numbers.
    # An odd number of events makes the wrong sum odd ones out.
    op = Conv(torch.ones(24, 2, 3, 3), None, (1, 1), (1, 1), (1, 1))
    x = torch.ones(1, 1, 2, 600, 600)
    x[0, 0, 0, 300, 300] = 0
    tally = count_chain(x, Domain.SPIKE, op)
    taps = (3 * 600 - 2) ** 2
    expected = 2 * 24 * taps - 24 * 9
    assert expected > 1 << 24
    assert tally.total("layer", Term.SOP) == expected


def test_events_beyond_float32() -> None:
    graph = Graph()
    graph.add("x", Input(((1 << 24) + 1,), Domain.SPIKE, True))
    edge = Edge(graph["x"], torch.ones(1, 1, (1 << 24) + 1))
    assert int(edge.counts(())) == (1 << 24) + 1
