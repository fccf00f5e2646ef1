"""The neuron of the zoo, in use and in training."""

from __future__ import annotations

import copy

import pytest
import torch
from spikingjelly.activation_based import neuron
from torch import Tensor

from spikeport.train.models import create_model
from spikeport.train.models.neuron import halve_sums, lif


def trained_with(x: Tensor, threshold: float, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Spikes and input gradient to the bit as when the shipped weights were trained."""
    membrane, spikes = torch.empty_like(x), torch.empty_like(x)
    torch.mul(x[0], 0.5, out=membrane[0])
    for t in range(len(x)):
        if t > 0:
            kept = torch.addcmul(membrane[t - 1], membrane[t - 1], spikes[t - 1], value=-1)
            torch.mul(kept.add_(x[t]), 0.5, out=membrane[t])
        torch.ge(membrane[t], threshold, out=spikes[t])
    slope = torch.sigmoid((membrane - threshold).mul_(4.0))
    dx = torch.addcmul(slope, slope, slope, value=-1).mul_(2.0).mul_(gradient)
    for t in range(len(dx) - 2, -1, -1):
        dx[t].add_(torch.addcmul(dx[t + 1], dx[t + 1], spikes[t], value=-1), alpha=0.5)
    return spikes, dx


@pytest.mark.parametrize("threshold", [0.5, 1.0])
@pytest.mark.parametrize("shape", [(4, 3, 40), (4, 8, 12, 32, 32)])
def test_training_rounds_as_when_the_shipped_weights_were_made(
    threshold: float, shape: tuple[int, ...]
) -> None:
    """Of any size: else the same recipe would give other bytes."""
    torch.manual_seed(0)
    layer = torch.nn.Sequential(lif(threshold))
    halve_sums(layer)
    x, gradient = (torch.randn(shape) * 3).requires_grad_(), torch.randn(shape)
    spikes = layer(x)
    (dx,) = torch.autograd.grad(spikes, x, gradient)
    expected, expected_dx = trained_with(x.detach(), threshold, gradient)
    assert torch.equal(spikes, expected) and torch.equal(dx, expected_dx)


@pytest.mark.parametrize("threshold", [0.5, 1.0])
def test_spikes_and_gradients_in_training_are_those_of_spikingjelly(threshold: float) -> None:
    torch.manual_seed(0)
    x = (torch.randn(5, 3, 40, dtype=torch.float64) * 3).requires_grad_()
    # Membranes that meet the threshold exactly fire in both.
    with torch.no_grad():
        x[0, 0] = 2 * threshold
    weight = torch.randn(5, 3, 40, dtype=torch.float64)
    ours = lif(threshold)
    given = {name: getattr(ours, name) for name in ("surrogate_function", "detach_reset")}
    reference = neuron.LIFNode(v_threshold=threshold, step_mode="m", **given)
    halve_sums(torch.nn.Sequential(ours))
    results = []
    for layer in (reference, ours):
        spikes = layer(x)
        results.append((spikes, *torch.autograd.grad((spikes * weight).sum(), x)))
    assert torch.equal(results[0][0], results[1][0]) and 0 < results[0][0].mean() < 1
    torch.testing.assert_close(results[1][1], results[0][1], rtol=1e-12, atol=1e-12)


def test_a_whole_network_learns_as_with_spikingjelly(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    reference = create_model("max_former_digits").double()
    plain, compiled, halved = (copy.deepcopy(reference) for _ in range(3))
    halve_sums(halved)
    frames = torch.rand(4, 3, 2, 32, 32, dtype=torch.float64) * 3
    choices = {
        "spikingjelly": [reference],
        "plain": [plain],
        "compiled": [compiled, halved],
    }
    for choice, networks in choices.items():
        monkeypatch.setenv("SPIKEPORT_NEURONS", choice)
        for network in networks:
            network(frames).square().sum().backward()
    for network in (plain, compiled, halved):
        for (name, one), other in zip(
            reference.named_parameters(), network.parameters(), strict=True
        ):
            torch.testing.assert_close(other.grad, one.grad, rtol=1e-8, atol=1e-10, msg=name)
