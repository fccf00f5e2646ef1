"""The neuron used in training is the neuron of the model."""

from __future__ import annotations

import copy

import pytest
import torch

from spikeport.train.fused import FusedLif, fuse_neurons
from spikeport.train.models import create_model
from spikeport.train.models.neuron import lif


@pytest.mark.parametrize("threshold", [0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_spikes_and_gradients_are_those_of_spikingjelly(threshold: float, steps: int) -> None:
    torch.manual_seed(0)
    x = (torch.randn(steps, 3, 40, dtype=torch.float64) * 3).requires_grad_()
    # Membranes that meet the threshold exactly fire in both.
    with torch.no_grad():
        x[0, 0] = 2 * threshold
    weight = torch.randn(steps, 3, 40, dtype=torch.float64)
    results = []
    for neuron in (lif(threshold), FusedLif(threshold)):
        spikes = neuron(x)
        (gradient,) = torch.autograd.grad((spikes * weight).sum(), x)
        results.append((spikes, gradient))
    (spikes, gradient), (fused_spikes, fused_gradient) = results
    assert torch.equal(spikes, fused_spikes) and 0 < spikes.mean() < 1
    torch.testing.assert_close(fused_gradient, gradient, rtol=1e-12, atol=1e-12)


def test_whole_network_learns_the_same() -> None:
    torch.manual_seed(0)
    model = create_model("max_former_digits").double()
    fused = copy.deepcopy(model)
    fuse_neurons(fused)
    assert list(fused.state_dict()) == list(model.state_dict())
    frames = torch.rand(4, 3, 2, 32, 32, dtype=torch.float64) * 3
    for network in (model, fused):
        network(frames).square().sum().backward()
    for (name, one), other in zip(model.named_parameters(), fused.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-8, atol=1e-10, msg=name)
