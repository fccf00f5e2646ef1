"""Means over space and over windows, of counts and of currents."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from lava_nets import Builder, event_frames
from lowered_nets import disagreement, figures, lowered

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import IF, AdaptiveAvgPool, AvgPool, Input, Mean, Sum
from spikeport.targets.lava import lower
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean, LavaShift


def rounded(total: int, divisor: int) -> int:
    return (total + divisor // 2) // divisor


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**16), st.integers(1, 2**15),
    st.sampled_from([torch.int64, torch.float64, torch.float32]),
)  # fmt: skip
def test_mean_is_a_rounded_quotient(height, width, seed, reach, dtype):
    random = torch.Generator().manual_seed(seed)
    x = torch.randint(-reach, reach + 1, (2, 3, height, width), generator=random)
    got = LavaMean((1, 2)).apply(x.to(dtype))
    want = [[rounded(int(c.sum()), height * width) for c in sample] for sample in x]
    assert got.tolist() == want


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(1, 1, 0), (2, 2, 0), (3, 1, 1), (3, 2, 1), (2, 1, 1)]), st.booleans(),
    st.booleans(), st.integers(0, 2**16), st.sampled_from([torch.float64, torch.float32]),
)  # fmt: skip
def test_average_pool_is_a_rounded_quotient_by_position(window, counts, divide, seed, dtype):
    kernel, stride, pad = window
    random = torch.Generator().manual_seed(seed)
    x = torch.randint(-5000, 5001, (1, 2, 4, 5), generator=random)
    op = LavaAvgPool((kernel,) * 2, (stride,) * 2, (pad,) * 2, counts, divide)
    got = op.apply(x.to(dtype))[0]
    for channel, row, column in torch.cartesian_prod(*map(torch.arange, got.shape)).tolist():
        inside = [
            int(x[0, channel, i, j])
            for i in range(row * stride - pad, row * stride - pad + kernel)
            for j in range(column * stride - pad, column * stride - pad + kernel)
            if 0 <= i < 4 and 0 <= j < 5
        ]
        divisor = kernel**2 if counts else len(inside)
        want = rounded(sum(inside), divisor) if divide else sum(inside)
        assert int(got[channel, row, column]) == want


@given(st.integers(-(2**22), 2**22), st.integers(-12, 3))
def test_shift_to_the_right_rounds_halves_up(value, bits):
    want = value << bits if bits >= 0 else (value + (1 << (-bits - 1))) >> -bits
    for dtype in (torch.int64, torch.float64):
        assert int(LavaShift(bits).apply(torch.tensor([[value]], dtype=dtype))) == want


@pytest.mark.parametrize("side", [3, 6, 7])
def test_mean_of_currents_of_any_size(side):
    frames = event_frames(steps=4, samples=3, side=side)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    mean = b.op("mean", Mean((1, 2)), b.conv("conv", stem, 8, 3, mean=1.1))
    b.graph.outputs = (b.lif("head", mean),)
    artefact, run = lowered(b.graph, frames)
    assert artefact.graph["mean"].op.count((8, side, side)) == side**2
    exponent = artefact.graph.metadata["lava"]["exponents"]["conv"]
    assert figures(artefact, "rounding of the mean, largest")["mean"] == 0.5 * 2.0**-exponent
    assert disagreement(b.graph, frames, run) < 0.1


@pytest.mark.parametrize("size", [3, 7, 14])
def test_mean_of_spikes_moves_its_divisor_into_the_threshold(size):
    """With a neuron that does not leak nothing is rounded: every spike is that of exact numbers."""
    graph = Graph(outputs=("fires",))
    graph.add("input", Input((4, size, size), Domain.SPIKE, per_step=True))
    graph.add("mean", Mean((1, 2)), ("input",))
    graph.add("fires", IF(0.75, 0.0), ("mean",))
    random = torch.Generator().manual_seed(0)
    frames = torch.bernoulli(torch.full((8, 5, 4, size, size), 0.3), generator=random)
    artefact, run = lowered(graph, frames)
    assert isinstance(artefact.graph["mean"].op, Sum)
    sums, v = frames.sum((3, 4)).long(), torch.zeros(5, 4, dtype=torch.int64)
    for step, total in enumerate(sums):
        v = v + total
        fired = 4 * v >= 3 * size**2
        assert torch.equal(run.spikes["fires"][step], fired)
        v[fired] = 0


def average_mixer(frames, pool):
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    stream = b.conv("embed", stem, 6, 3, mean=0.6)
    mixed = b.op("pool", pool, stream)
    hidden = b.conv("fc", b.lif("fc_lif", mixed), 6, 1, mean=0.3)
    total = b.add("total", mixed, hidden)
    b.graph.outputs = (b.lif("head", total),)
    return b.graph


def test_average_mixer_has_divisors_by_position():
    frames = event_frames(steps=4, samples=3, side=6)
    graph = average_mixer(frames, AvgPool((3, 3), (1, 1), (1, 1), False))
    artefact, run = lowered(graph, frames)
    op = artefact.graph["pool"].op
    assert set(op.divisors((6, 6, 6)).flatten().tolist()) == {4, 6, 9}
    assert figures(artefact, "rounding of the mean, largest")["pool"] > 0
    assert disagreement(graph, frames, run) < 0.1


def test_adaptive_pool_of_currents():
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    pooled = b.op("pool", AdaptiveAvgPool((6, 6), (2, 3)), b.conv("conv", stem, 6, 3, mean=1.0))
    b.graph.outputs = (b.lif("head", pooled),)
    lowered(b.graph, frames)


def test_average_pool_of_spikes_is_a_sum_that_a_layer_may_read():
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    pooled = b.op("pool", AvgPool((3, 3), (3, 3), (0, 0), True), stem)
    b.graph.outputs = (b.lif("head", b.conv("conv", pooled, 6, 1)),)
    artefact, run = lowered(b.graph, frames)
    assert not artefact.graph["pool"].op.divide
    assert disagreement(b.graph, frames, run) < 0.1


def test_spikes_averaged_with_divisors_by_position_become_currents():
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    pooled = b.op("pool", AvgPool((3, 3), (1, 1), (1, 1), False), stem)
    b.graph.outputs = (b.lif("head", pooled, threshold=0.2),)
    artefact, run = lowered(b.graph, frames)
    assert artefact.graph["pool"].op.divide
    assert disagreement(b.graph, frames, run) < 0.1


def test_a_mean_costs_head_room():
    graph = Graph(outputs=("fires",))
    graph.add("input", Input((1, 512, 512), Domain.SPIKE, per_step=True))
    graph.add("mean", Mean((1, 2)), ("input",))
    graph.add("fires", IF(0.25, 0.0), ("mean",))
    with pytest.raises(Exception, match=r"fires.*sums may reach 262144"):
        lower(graph)
