"""Temporal feedback on Lava: a loop through one layer, gated where samples meet."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from lava_nets import Builder, event_frames
from lowered_nets import disagreement, figures, lowered

from spikeport.convert.check import NodeRefused
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import LIF, Add, AddPerStep, Conv, Delay, Input
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.targets.lava import check, lower, run_in_process, run_on_lava

FIRES = LIF(2.0, True, 1.0, 0.0)


def weights(seed, *shape, size=0.6):
    random = torch.Generator().manual_seed(seed)
    return size * torch.randn(shape, generator=random, dtype=torch.float64)


def fed_back(frames, *, positions=False, bias=0.3):
    """S[t] = LIF(A[t] + P[t] + Conv(S[t - 1]) + b), then another layer."""
    b = Builder(frames)
    current = b.conv("stem", "input", 6, 3, mean=0.7)
    shape = b.graph[current].shape
    if positions:
        value = weights(3, len(frames), *shape)
        current = b.op("positions", AddPerStep(value), current)
    b.graph.add("back", Delay("loop", shape, Domain.REAL), path="back")
    b.op("sum", Add(), current, "back")
    b.lif("first", "sum")
    back = Conv(weights(1, 6, 6, 3, 3, size=0.15), torch.full((6,), bias).double(),
                (1, 1), (1, 1), (1, 1))  # fmt: skip
    b.op("loop", back, "first")
    b.graph.outputs = (b.lif("head", b.conv("conv", "first", 6, 3)),)
    return b.graph


def test_a_module_of_slayer_cannot_feed_back(frames):
    from spikeport.targets.lava.slayer import to_slayer

    with pytest.raises(NodeRefused, match="back: it feeds spikes back over time"):
        to_slayer(lower(fed_back(frames), frames))


@pytest.fixture(scope="module")
def frames():
    return event_frames(steps=5, samples=3, side=6)


@pytest.mark.parametrize("positions", [False, True])
@pytest.mark.parametrize("bits", [4, 8, 16])
def test_feedback_and_constants_per_step(frames, positions, bits):
    graph = fed_back(frames, positions=positions)
    artefact, run = lowered(graph, frames, weight_bits=bits)
    assert artefact.schedule.feedback == {"back": 0}
    assert 0 < figures(artefact, "rounding of the bias fed back, largest")["loop"] < 0.01
    if positions:
        assert 0 < figures(artefact, "rounding of the constants, largest")["positions"] < 0.01
    assert disagreement(graph, frames, run) < (0.25 if bits == 4 else 0.05)


def test_the_feedback_matters(frames):
    with_it = lower(fed_back(frames), frames).run(frames, spikes=True).spikes["first"]
    graph = fed_back(frames)
    cut = Graph(outputs=graph.outputs)
    for node in graph:
        op = node.op
        if node.name == "loop":
            op = Conv(op.weight * 0, op.bias * 0, op.stride, op.padding, op.dilation)
        cut.add(node.name, op, node.inputs, path=node.path)
    without = lower(cut, frames).run(frames, spikes=True).spikes["first"]
    assert torch.equal(with_it[0], without[0])
    assert not torch.equal(with_it[1], without[1])


def test_samples_do_not_reach_into_each_other(frames):
    """Without the gate they do: the test of streamed samples would see it."""
    artefact = lower(fed_back(frames), frames)
    want = artefact.run(frames, spikes=True).spikes["first"]
    from spikeport.targets.lava.shim import import_lava

    import_lava()
    from spikeport.targets.lava.processes import feedback

    def ungated(self, value):
        return value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feedback.GateModel, "compute", ungated)
        got = run_in_process(artefact.graph, frames).spikes["first"]
    # The first one would be reached by what biases did while the pipeline filled.
    assert all(not torch.equal(got[0, sample], want[0, sample]) for sample in range(3))


def test_spikes_fed_back_without_a_layer_wait_in_a_line(frames):
    b = Builder(frames)
    current = b.conv("stem", "input", 6, 3, mean=0.4)
    shape = b.graph[current].shape
    b.graph.add("back", Delay("first", shape, Domain.SPIKE), path="back")
    b.op("sum", Add(), current, "back")
    b.graph.outputs = (b.lif("head", b.conv("conv", b.lif("first", "sum"), 6, 3)),)
    artefact, run = lowered(b.graph, frames)
    assert artefact.schedule.feedback == {"back": 0}
    assert 1 in artefact.schedule.waits.values()
    assert disagreement(b.graph, frames, run) < 0.05


def test_spikes_of_the_first_layer_fed_back(frames):
    """The neurons read the input itself: nothing but the line of the feedback delays."""
    graph = Graph(outputs=("head",))
    graph.add("input", Input((2, 6, 6), Domain.SPIKE, per_step=True))
    graph.add("back", Delay("first", (2, 6, 6), Domain.SPIKE), path="back")
    graph.add("sum", Add(), ("input", "back"))
    graph.add("first", LIF(2.0, True, 0.6, 0.0), ("sum",))
    b = Builder(frames.clamp(max=1), graph=graph)
    b.graph.outputs = (b.lif("head", b.conv("conv", "first", 6, 3)),)
    artefact, run = lowered(b.graph, frames.clamp(max=1))
    assert artefact.schedule.feedback == {"back": 1}
    assert disagreement(b.graph, frames.clamp(max=1), run) < 0.05


def test_a_layer_behind_the_delay_is_its_step(frames):
    b = Builder(frames)
    current = b.conv("stem", "input", 6, 3, mean=0.6)
    shape = b.graph[current].shape
    b.graph.add("back", Delay("first", shape, Domain.SPIKE), path="back")
    back = Conv(weights(1, 6, 6, 3, 3, size=0.2), None, (1, 1), (1, 1), (1, 1))
    b.op("sum", Add(), current, b.op("loop", back, "back"))
    b.graph.outputs = (b.lif("head", b.conv("conv", b.lif("first", "sum"), 6, 3)),)
    artefact, run = lowered(b.graph, frames)
    assert artefact.schedule.feedback == {"back": 0}
    assert disagreement(b.graph, frames, run) < 0.05


def test_the_runtime_closes_loops(frames):
    artefact = lower(fed_back(frames, positions=True), frames)
    want = artefact.run(frames[:, :2], spikes=True)
    ran = run_on_lava(artefact.graph, frames[:, :2], deadline=120)
    assert all(torch.equal(ran.spikes[name], s) for name, s in want.spikes.items())


def loop_of(*, layers, neuron=True):
    graph = Graph(outputs=("last",))
    graph.add("input", Input((2, 4, 4), Domain.SPIKE, per_step=True))
    graph.add("back", Delay("end", (2, 4, 4), Domain.REAL), path="net.back")
    graph.add("sum", Add(), ("input", "back"))
    name = "sum"
    if neuron:
        name = graph.add("fires", FIRES, ("sum",)).name
    for index in range(layers):
        conv = Conv(weights(index, 2, 2, 1, 1), None, (1, 1), (0, 0), (1, 1))
        name = graph.add("end" if index == layers - 1 else f"c{index}", conv, (name,)).name
    graph.add("last", FIRES, ("sum",))
    return graph


def test_a_loop_through_two_layers_is_refused():
    report = check(loop_of(layers=2))
    assert any("more than one layer" in f.why and "net.back" in f.where for f in report.errors)
    with pytest.raises(UnsupportedError):
        lower(loop_of(layers=2))


def test_a_loop_without_neuron_is_refused():
    with pytest.raises(NodeRefused, match=r"net\.back.*no bound"):
        lower(loop_of(layers=1, neuron=False))


def test_counts_fed_back_are_refused():
    graph = loop_of(layers=1)
    counted = Graph(outputs=graph.outputs)
    for node in graph:
        op = node.op
        if isinstance(op, Delay):
            op = dataclasses.replace(op, source="twice", domain=Domain.GRADED)
        counted.add(node.name, op, node.inputs, path=node.path)
    counted.add("twice", Add(), ("fires", "fires"))
    assert any("feeds back counts" in f.why for f in check(counted).errors)


def test_another_number_of_steps_than_the_constants_have(frames):
    artefact = lower(fed_back(frames, positions=True), frames)
    for backend in ("integer", "pump"):
        with pytest.raises(UsageError, match="its constants are for 5"):
            artefact.run(frames[:3], backend=backend)
