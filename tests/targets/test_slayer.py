"""The integer network as a module of slayer: the same spikes, gradients, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from digits_data import digits

from spikeport.convert import Graph
from spikeport.convert.check import NodeRefused
from spikeport.convert.domain import Domain
from spikeport.convert.graph import rebuilt
from spikeport.convert.ops import Conv, Input
from spikeport.core.errors import CheckFailed, UsageError
from spikeport.targets.lava import lower
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.slayer import run_on_slayer, to_slayer
from spikeport.targets.parity import compare


def test_every_layer_of_a_max_former_is_equal(max_former: Any) -> None:
    whole = max_former.artefact.integer(max_former.frames, spikes=True)
    result = compare(whole, run_on_slayer(max_former.artefact.graph, max_former.frames))
    result.require()
    assert not result.silent
    assert result.compared > 25_000
    assert result.output_difference == 0.0


def test_trained_digits_are_equal() -> None:
    graph, calibration, frames, _ = digits(train=40, test=2)
    artefact = lower(graph, calibration)
    result = compare(artefact.integer(frames, spikes=True), run_on_slayer(artefact.graph, frames))
    result.require()
    assert not result.silent
    assert len(result.layers) > 5


@pytest.mark.parametrize("seed", [1, 2])
def test_random_nets_are_equal_in_16_bits_too(seed: int, make_chain: Any) -> None:
    graph, frames = make_chain(seed)
    artefact = lower(graph, frames, weight_bits=16)
    compare(artefact.integer(frames, spikes=True), run_on_slayer(artefact.graph, frames)).require()


def test_lava_classes_make_it(max_former: Any) -> None:
    network = to_slayer(max_former.artefact)
    kinds = {f"{type(m).__module__}.{type(m).__name__}" for m in network.modules()}
    assert "lava.lib.dl.slayer.neuron.cuba.Neuron" in kinds
    assert "lava.lib.dl.slayer.synapse.layer.Conv" in kinds


def test_a_step_of_training_lowers_the_loss(max_former: Any) -> None:
    network = to_slayer(max_former.artefact)
    labels = torch.tensor([0, 1, 2])
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(4):
        loss = torch.nn.functional.cross_entropy(network(max_former.frames), labels)
        optimizer.zero_grad()
        loss.backward()
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        assert all(bool(torch.isfinite(g).all()) for g in gradients)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    weights = [n for n, _ in network.named_parameters() if n.endswith("synapse.weight")]
    with_gradient = [n for n, p in network.named_parameters() if p.grad is not None]
    assert weights and set(weights) <= set(with_gradient)


def single(vth: int, weight: int) -> Graph:
    """One input, one weight, one neuron that keeps half its membrane."""
    graph = Graph(outputs=("lif",))
    graph.add("input", Input((1, 1, 1), Domain.GRADED, per_step=True))
    kernel = torch.full((1, 1, 1, 1), weight, dtype=torch.int32)
    graph.add("conv", Conv(kernel, None, (1, 1), (0, 0), (1, 1)), ("input",), path="net.conv")
    graph.add("lif", LavaLIF(4095, 2048, vth, None, 0), ("conv",), path="net.lif")
    graph.metadata["lava"] = {
        "input_max": 2**20,
        "on_lava": ["conv", "input", "lif"],
        "exponents": {"conv": 0},
        "entry": {"unit": 1.0, "low": 0, "high": 2**20, "quantised": False},
        "float32_exact": True,
    }
    return graph


@pytest.mark.parametrize("vth", [1, 511, 4097, 131071 - 1])
def test_at_the_threshold_itself_there_is_no_spike(vth: int) -> None:
    frames = torch.tensor([vth, vth + 1]).reshape(1, 2, 1, 1, 1)
    spikes = to_slayer(single(vth, 1)).spikes(frames)["lif"]
    assert spikes.flatten().tolist() == [0.0, 1.0]


def test_what_leaves_the_range_is_refused_while_it_runs() -> None:
    network = to_slayer(single(1000, 1))
    with pytest.raises(CheckFailed, match=r"net\.lif.*wraps around"):
        network(torch.full((1, 1, 1, 1, 1), 2**17))
    inhibited = to_slayer(single(1000, -1))
    with pytest.raises(CheckFailed, match=r"net\.lif.*saturates"):
        inhibited(torch.full((3, 1, 1, 1, 1), 2**17 - 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thresholds": torch.tensor([[[5]]])}, r"net\.lif.*differs between channels"),
        ({"du": 100}, r"net\.lif.*keeps synaptic current"),
    ],
)
def test_other_neurons_are_refused(change: dict[str, Any], message: str) -> None:
    graph = single(10, 1)
    other = rebuilt(graph, {"lif": replace(graph["lif"].op, **change)})
    with pytest.raises(NodeRefused, match=message):
        to_slayer(other)


def test_unknown_ops_are_refused(max_former: Any) -> None:
    from spikeport.convert.ops import Scale

    graph = rebuilt(single(10, 1), {"conv": Scale(2.0)})
    with pytest.raises(NodeRefused, match=r"net\.conv.*no counterpart for 'scale'"):
        to_slayer(graph)
    with pytest.raises(UsageError, match="has not been lowered"):
        to_slayer(max_former.graph)
