"""A small spiking network for grey images, trained on real handwritten digits in a second."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from spikingjelly.activation_based import functional, neuron, surrogate
from torch import Tensor, nn

MEAN, STD = 0.28, 0.35


class TinySnn(nn.Module):
    """Images `[B, 1, 8, 8]`, shown at 3 time steps, to scores `[B, 10]`."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.lif = neuron.LIFNode(step_mode="m", surrogate_function=surrogate.Sigmoid(4.0))
        self.head = nn.Linear(6 * 4 * 4, 10)

    def forward(self, x: Tensor) -> Tensor:
        current = self.norm(self.conv(x))
        spikes = self.lif(current.unsqueeze(0).repeat(3, 1, 1, 1, 1))
        return self.head(spikes.flatten(2)).mean(0)


def pictures(split: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pixels `[N, 8, 8]`, and labels: 1,437 digits to train on and 360 to test."""
    found = load_digits()
    chosen = (np.arange(len(found.target)) % 5 == 0) == (split == "test")
    return (found.images[chosen] * 15).astype(np.uint8), found.target[chosen].astype(np.int64)


@functools.cache
def _weights() -> dict[str, Tensor]:
    pixels, labels = pictures("train")
    x = (torch.from_numpy(pixels).float().unsqueeze(1) / 255 - MEAN) / STD
    y = torch.from_numpy(labels)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = TinySnn()
        optimiser = torch.optim.Adam(net.parameters(), 0.01)
        for _ in range(60):
            part = torch.randint(len(x), (128,))
            functional.reset_net(net)
            loss = nn.functional.cross_entropy(net(x[part]), y[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    functional.reset_net(net)
    return {name: value.clone() for name, value in net.state_dict().items()}


def trained() -> TinySnn:
    """The network with its trained weights, in eval mode."""
    net = TinySnn()
    net.load_state_dict(_weights())
    return net.eval()


def one_step(channels: int = 2, side: int = 32) -> nn.Module:
    """One time step of a network for frames; its loop is outside."""
    return nn.Sequential(
        nn.Conv2d(channels, 2, 3, stride=4),
        neuron.LIFNode(step_mode="s", v_threshold=0.1),
        nn.Flatten(),
        nn.Linear(2 * ((side - 3) // 4 + 1) ** 2, 10),
    ).eval()


def one_step_of_images() -> nn.Module:
    """The same for grey images of 8 x 8 pixels."""
    return one_step(1, 8)
