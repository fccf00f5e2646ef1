"""Fine-tuning: the forward is the integer executor's, the loss falls, what comes out is refused or
equal."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from spikingjelly.activation_based import layer, neuron

from spikeport.convert import trace
from spikeport.convert.ops import Conv
from spikeport.core.errors import UnsupportedError, UsageError
from spikeport.targets.lava import lower
from spikeport.targets.lava.qat import QatNetwork, to_qat


def tuned(network: QatNetwork, frames: torch.Tensor, steps: int, rate: float = 2e-3) -> list[float]:
    """Losses of some steps towards arbitrary labels."""
    labels = torch.arange(frames.shape[1])
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        loss = torch.nn.functional.cross_entropy(network(frames), labels)
        optimizer.zero_grad()
        loss.backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert bool(torch.isfinite(parameter.grad).all()), name
        optimizer.step()
        losses.append(loss.item())
    return losses


def assert_equal_to_executor(network: QatNetwork, frames: torch.Tensor) -> None:
    want = network.lowered().integer(frames, spikes=True)
    with torch.no_grad():
        got = network.spikes(frames)
        assert torch.equal(network(frames), want.outputs)
    assert list(got) == list(want.spikes)
    for name, spikes in want.spikes.items():
        assert torch.equal(got[name].bool(), spikes), name
        assert bool(spikes.any()), name


@pytest.mark.parametrize("bits", [4, 8])
def test_forward_is_the_integer_executor_before_and_after_training(
    max_former: Any, bits: int
) -> None:
    graph, frames = max_former.graph, max_former.frames
    network = to_qat(graph, frames, weight_bits=bits)
    first = lower(graph, frames, weight_bits=bits, search="none")
    again = network.lowered()
    assert again.graph.metadata["lava"]["streams"] == first.graph.metadata["lava"]["streams"]
    for node in first.graph:
        for field, value in node.op.tensors().items():
            assert torch.equal(value, again.graph[node.name].op.tensors()[field]), node.name
    assert_equal_to_executor(network, frames)

    losses = tuned(network, frames, 6)
    assert losses[-1] < losses[0]
    assert_equal_to_executor(network, frames)
    changed = network.lowered().graph["fc"].op.weight != first.graph["fc"].op.weight
    assert bool(changed.any())


def test_the_graph_that_comes_out_holds_the_new_weights(small_chain: Any) -> None:
    network = to_qat(small_chain.graph, small_chain.frames)
    before = small_chain.graph["first"].op.weight.clone()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1.01)
    graph = network.graph()
    assert isinstance(graph["first"].op, Conv)
    assert torch.allclose(graph["first"].op.weight, before * 1.01)
    assert torch.equal(small_chain.graph["first"].op.weight, before)
    graph["first"].op.weight.zero_()
    assert bool(network.graph()["first"].op.weight.any())


def test_an_artefact_is_tuned_with_its_options_and_scales(small_chain: Any) -> None:
    graph, frames = small_chain.graph, small_chain.frames
    artefact = lower(graph, frames, weight_bits=5, search="none")
    network = to_qat(artefact, frames, graph=graph)
    assert network.exponents == artefact.graph.metadata["lava"]["streams"]
    spikes = artefact.integer(frames, spikes=True).spikes
    for name, value in network.spikes(frames).items():
        assert torch.equal(value.bool(), spikes[name])
    with pytest.raises(UsageError, match="holds whole numbers"):
        to_qat(artefact, frames)


def test_a_model_is_traced(small_digits: Any) -> None:
    model, frames = small_digits
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    network = to_qat(model, frames, input_domain="graded", weight_bits=6)
    assert_equal_to_executor(network, frames[:, :2])
    for name, value in model.state_dict().items():
        assert torch.equal(value, weights[name]), name


class ImageNet(torch.nn.Module):
    """A stem on images `[B, C, H, W]`, shown for some steps."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(2, 4, 3, padding=1)
        self.first, self.second = (neuron.LIFNode(step_mode="m", v_threshold=0.3) for _ in "ab")
        self.fc = torch.nn.Linear(4 * 25, 3)
        torch.nn.init.normal_(self.fc.weight, 0.02, 0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(self.stem(x).unsqueeze(0).repeat(4, 1, 1, 1, 1))
        return self.second(self.fc(x.flatten(2))).mean(0)


@pytest.mark.parametrize("given", ["model", "graph", "artefact"])
@pytest.mark.parametrize("loader", [False, True])
def test_images_are_joined_along_their_batch(given: str, loader: bool) -> None:
    """Batches of different size, from a loader that is read once."""
    torch.manual_seed(0)
    model, images = ImageNet(), torch.randn(6, 2, 5, 5)
    graph = trace(model, images[:2])
    data: Any = iter([(images[:4], 0), (images[4:], 1)]) if loader else images
    artefact = lower(graph, images, search="none")
    sources: dict[str, Any] = {"model": model, "graph": graph, "artefact": artefact}
    known = {"graph": graph} if given == "artefact" else {}
    network = to_qat(sources[given], data, **known)
    first, again = artefact.graph, network.lowered().graph
    assert again.metadata["lava"]["streams"] == first.metadata["lava"]["streams"]
    assert again.metadata["lava"]["entry"] == first.metadata["lava"]["entry"]
    for node in first:
        if node.name in again:
            for field, value in node.op.tensors().items():
                assert torch.equal(value, again[node.name].op.tensors()[field]), node.name
    want = network.lowered().integer(images, spikes=True)
    assert all(0.02 < float(value.double().mean()) < 0.98 for value in want.spikes.values())
    with torch.no_grad():
        assert torch.equal(network(images), want.outputs)
    loss = torch.nn.functional.cross_entropy(network(images), torch.arange(6) % 3)
    loss.backward()
    assert all(bool(p.grad.abs().sum() > 0) for p in network.parameters() if p.ndim > 1)


def test_frames_of_one_axis_are_no_images() -> None:
    """`[T, B, C, L]` has as many axes as images."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        layer.Conv1d(2, 4, 3, padding=1, step_mode="m"),
        neuron.LIFNode(step_mode="m", v_threshold=0.3),
    )

    class BatchFirst(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.net(x.transpose(0, 1)).mean(0)

    frames = torch.poisson(torch.full((5, 3, 2, 8), 0.7))
    network = to_qat(BatchFirst(), iter([frames[:, :2], frames[:, 2:]]), input_domain="graded")
    assert network(frames).shape == (3, 4, 8)
    assert_equal_to_executor(network, frames)


def test_gradients_are_those_of_the_equations() -> None:
    """Against autograd through the same steps in float64."""
    from spikeport.targets.lava.ops import LavaLIF
    from spikeport.targets.lava.qat.neuron import spikes_of

    random = torch.Generator().manual_seed(0)
    op, slope = LavaLIF(4095, 2048, 511, None, 0), 4.0
    current = torch.randint(-300, 900, (4, 2, 3), generator=random).double().requires_grad_()
    bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(4, 2, 3, generator=random, dtype=torch.float64)
    (spikes_of(op, current, bias, slope) * weights).sum().backward()

    a = current.detach().clone().requires_grad_()
    b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    v, total, limit = torch.zeros(2, 3, dtype=torch.float64), torch.zeros(()), 511 * 64
    for step in range(4):
        v = v * 0.5 + a[step] * 64 + b
        total = total + (torch.sigmoid(slope * (v / limit - 1)) * weights[step]).sum()
        v = v * (v.detach() <= limit)
    total.backward()
    assert torch.allclose(current.grad, a.grad, rtol=1e-3, atol=1e-9)
    assert torch.allclose(bias.grad, b.grad, rtol=1e-3, atol=1e-9)


def test_weights_that_outgrow_the_head_room_are_refused(small_chain: Any) -> None:
    network = to_qat(small_chain.graph, small_chain.frames)
    with torch.no_grad():
        network.parameters_of["first/weight"].mul_(1e4)
    with pytest.raises(UnsupportedError, match=r"sums may reach"):
        network.lowered()


def test_what_cannot_be_tuned_is_refused(small_chain: Any) -> None:
    graph, frames = small_chain.graph, small_chain.frames
    with pytest.raises(UsageError, match="says nothing about the next ones"):
        to_qat(graph, frames, headroom="observed")
    with pytest.raises(UsageError, match="beside a model or graph"):
        to_qat(graph, frames, graph=graph)
    with pytest.raises(UsageError, match="cannot be traced without samples"):
        to_qat(torch.nn.Identity())
