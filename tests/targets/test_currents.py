"""Layers that read membrane currents: the shortcut of a ResNet that changes its shape."""

from __future__ import annotations

import pytest
import torch
from lava_nets import Builder, event_frames
from lowered_nets import disagreement, figures, lowered

from spikeport.convert.ops import Conv
from spikeport.targets.lava import IntegerExecutor, lower
from spikeport.targets.lava.limits import CONVOLUTION_LIMIT
from spikeport.targets.lava.ops import LavaShift


def resnet(frames, kernel=1):
    """Two blocks; the shortcut of the second is a strided convolution of the membrane."""
    b = Builder(frames)
    stream = b.conv("stem", "input", 6, 3, mean=0.6)
    inner = b.lif("s2", b.conv("c1", b.lif("s1", stream), 6, 3))
    stream = b.add("block1", stream, b.conv("c2", inner, 6, 3, mean=0.0, spread=0.7))
    inner = b.lif("s4", b.conv("c3", b.lif("s3", stream), 8, 3, stride=2))
    down = b.conv("down", stream, 8, kernel, stride=2, mean=0.3, spread=0.8)
    stream = b.add("block2", b.conv("c4", inner, 8, 3, mean=0.3, spread=0.7), down)
    b.graph.outputs = (b.lif("head", stream),)
    return b.graph


@pytest.fixture(scope="module")
def frames():
    return event_frames(steps=4, samples=3, side=8)


@pytest.mark.parametrize("bits", [4, 6, 8, 12, 16])
@pytest.mark.parametrize("headroom", ["static", "observed"])
def test_shortcut_through_a_layer(frames, bits, headroom):
    graph = resnet(frames)
    artefact, run = lowered(graph, frames, weight_bits=bits, headroom=headroom)
    assert disagreement(graph, frames, run) < (0.35 if bits == 4 else 0.15)
    layers = [node.name for node in artefact.graph if node.path == "down"]
    assert layers[-1] == "down" and "down.sums" in layers
    assert isinstance(artefact.graph["down"].op, LavaShift)
    exponent = artefact.graph.metadata["lava"]["exponents"]["down"]
    assert figures(artefact, "rounding of the sums, largest")["down"] == 0.5 * 2.0**-exponent


def test_sums_of_currents_stay_within_a_convolution(frames):
    """Proven, hence for any input: the largest counts everywhere."""
    artefact = lower(resnet(frames), frames)
    top = artefact.graph.metadata["lava"]["input_max"]
    peaks = {}

    def tap(node, value):
        if isinstance(node.op, Conv):
            peaks[node.name] = float(value.abs().max())

    random = torch.Generator().manual_seed(0)
    loud = top * torch.bernoulli(torch.full(frames.shape, 0.7), generator=random)
    for tried in (torch.full_like(frames, float(top)), loud, frames):
        IntegerExecutor(artefact.graph, check_values=True).run(tried, tap)
        assert 0 < peaks["down.sums"] < figures(artefact, "head-room, proven")["down"]
    assert figures(artefact, "head-room, proven")["down"] < CONVOLUTION_LIMIT


def test_more_weight_bits_follow_the_float_network_more_closely(frames):
    graph = resnet(frames)
    found = [
        disagreement(graph, frames, lowered(graph, frames, weight_bits=b, headroom="observed")[1])
        for b in (4, 8, 12)
    ]
    assert found[0] > found[1] >= found[2]
    assert found[2] < 0.02


def test_biases_pass_through_the_shortcut(frames):
    """With padding the bias of the stem reaches the edges of a 3 x 3 shortcut less often."""
    graph = resnet(frames, kernel=3)
    artefact, run = lowered(graph, frames, headroom="observed", weight_bits=12)
    assert artefact.graph["head"].op.bias_mant.shape == (8, 4, 4)
    assert disagreement(graph, frames, run) < 0.05
