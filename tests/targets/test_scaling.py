"""Factors of any size, and thresholds that differ between channels."""

from __future__ import annotations

import pytest
import torch
from lava_nets import Builder, event_frames
from lowered_nets import disagreement, figures, lowered

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import IF, Add, AddConstant, ChannelNeuron, Input, MatMul, Scale, Sum
from spikeport.targets.lava import lower


@pytest.mark.parametrize("scale", [Scale(0.354), Scale(1.0, 49.0), Scale(0.3, 7.0), Scale(0.125)])
def test_scaled_counts_fire_as_exact_numbers_do(scale):
    graph = Graph(outputs=("fires",))
    graph.add("input", Input((2, 3, 3), Domain.SPIKE, per_step=True))
    graph.add("product", MatMul(), ("input", "input"))
    graph.add("counts", Sum((2,)), ("product",))
    graph.add("scaled", scale, ("counts",))
    graph.add("fires", IF(0.5, 0.0), ("scaled",))
    random = torch.Generator().manual_seed(0)
    frames = torch.bernoulli(torch.full((8, 20, 2, 3, 3), 0.5), generator=random)
    _, run = lowered(graph, frames)
    counts = (frames.long() @ frames.long()).sum(4)
    v = torch.zeros_like(counts[0])
    for step, n in enumerate(counts):
        v = v + n
        fired = v.double() * scale.factor >= 0.5 * scale.divisor
        assert torch.equal(run.spikes["fires"][step], fired)
        v[fired] = 0


def test_scaled_currents_fold_into_the_layers_before():
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    left = b.op("scaled", Scale(0.3), b.conv("left", stem, 6, 3, mean=2.0, spread=4.0))
    total = b.add("total", left, b.conv("right", stem, 6, 1, mean=0.3))
    b.graph.outputs = (b.lif("head", total),)
    artefact, run = lowered(b.graph, frames, weight_bits=12)
    assert "scaled" not in artefact.graph
    assert disagreement(b.graph, frames, run) < 0.03


def test_scaled_counts_join_currents_of_their_unit():
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    scaled = b.op("scaled", Scale(0.3), stem)
    total = b.add("total", scaled, b.conv("right", stem, 6, 1, mean=0.5))
    b.graph.outputs = (b.lif("head", total),)
    artefact, run = lowered(b.graph, frames, weight_bits=12)
    assert not float(artefact.graph.metadata["lava"]["exponents"]["total"]).is_integer()
    assert disagreement(b.graph, frames, run) < 0.03


def test_constants_join_the_biases():
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.lif("stem_lif", b.conv("stem", "input", 6, 3))
    value = torch.rand(6, 6, 6, generator=b.random, dtype=torch.float64)
    moved = b.op("moved", AddConstant(value), b.conv("conv", stem, 6, 3, mean=0.2))
    b.graph.outputs = (b.lif("head", moved),)
    artefact, run = lowered(b.graph, frames, weight_bits=12)
    assert artefact.graph["head"].op.bias_mant.shape == (6, 6, 6)
    assert disagreement(b.graph, frames, run) < 0.03


@pytest.mark.parametrize(
    ("tau", "weight", "decays"),
    [(None, None, False), (torch.full((6, 1, 1), 4.0), None, True),
     (None, torch.zeros(6, 1, 1), True), (torch.full((6, 1, 1), 2.0), None, False)],
)  # fmt: skip
def test_thresholds_by_channel(tau, weight, decays, tmp_path):
    frames = event_frames(steps=4, samples=3, side=6)
    b = Builder(frames)
    stem = b.conv("stem", "input", 6, 3)
    thresholds = torch.linspace(0.5, 1.5, 6, dtype=torch.float64).reshape(6, 1, 1)
    neuron = ChannelNeuron(tau, weight, decays, thresholds, 0.0)
    b.graph.outputs = (b.lif("head", b.conv("conv", b.op("fires", neuron, stem), 6, 3)),)
    artefact, run = lowered(b.graph, frames, weight_bits=12)
    op = artefact.graph["fires"].op
    assert op.thresholds.shape == (6, 1, 1)
    assert op.vth == int(op.thresholds.max()) > int(op.thresholds.min())
    told = figures(artefact, "thresholds differ between channels, smallest")
    assert told["fires"] == int(op.thresholds.min())
    assert disagreement(b.graph, frames, run) < 0.05
    artefact.save(tmp_path)
    again = type(artefact).load(tmp_path).run(frames, backend="integer", spikes=True)
    assert torch.equal(again.spikes["fires"], run.spikes["fires"])


def test_counts_too_fine_for_the_currents_they_join_are_refused():
    graph = Graph(outputs=("fires",))
    graph.add("input", Input((2, 3, 3), Domain.SPIKE, per_step=True))
    graph.add("large", Scale(3.0 * 2**30), ("input",))
    graph.add("small", Scale(3.0), ("input",))
    graph.add("sum", Add(), ("large", "small"))
    graph.add("fires", IF(1.0, 0.0), ("sum",))
    with pytest.raises(Exception, match=r"(sum|fires).*(sums may reach|would lose|threshold)"):
        lower(graph)
