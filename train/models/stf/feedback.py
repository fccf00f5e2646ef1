"""Temporal feedback: the first spikes of a time step act on the next."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from spikeport.core.recurrence import TimeLoop

Shape = tuple[int, int, int]


class CurrentFeedback(TimeLoop):
    """S[t] = LIF(A[t] + BN(Conv(S[t-1]))); nothing is added at t = 0.

    Currents A `[T, B, C, H, W]` to spikes S. The membrane stays between steps as always.
    """

    def __init__(self, neuron: nn.Module, channels: int, kernel: int) -> None:
        super().__init__()
        self.neuron = neuron
        self.conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes: Tensor = self.neuron(current + feedback)
        return spikes, self.bn(self.conv(spikes))


class InputFeedback(TimeLoop):
    """S[t] = LIF(stem(x[t] + BN(Conv(S[t-1])))); nothing is added at t = 0.

    Frames x `[T, B, C, H, W]` to spikes S. Where the stem shrinks the frame, the convolution is a
    transposed one that grows it back.
    """

    def __init__(
        self, stem: nn.Module, neuron: nn.Module, frame: Shape, currents: Shape, kernel: int
    ) -> None:
        super().__init__()
        self.stem, self.neuron = stem, neuron
        self.frame = frame
        channels, grow = currents[0], frame[1] // currents[1]
        self.conv: nn.Module = (
            nn.Conv2d(channels, frame[0], kernel, padding=kernel // 2, bias=False)
            if grow == 1
            else nn.ConvTranspose2d(channels, frame[0], grow, stride=grow, bias=False)
        )
        self.bn = nn.BatchNorm2d(frame[0])

    def no_feedback(self, current: Tensor) -> Tensor:
        return current.new_zeros((current.shape[0], *self.frame))

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        spikes: Tensor = self.neuron(self.stem(current + feedback))
        return spikes, self.bn(self.conv(spikes))


class PositionedInputFeedback(InputFeedback):
    """S[t] = LIF(stem(x[t] + BN(Conv(S[t-1]))) + P[t]), with the P of a position embedding.

    A time loop reads one sequence, so `forward` packs frames and embedding into rows.
    """

    def __init__(
        self,
        stem: nn.Module,
        neuron: nn.Module,
        frame: Shape,
        currents: Shape,
        kernel: int,
    ) -> None:
        super().__init__(stem, neuron, frame, currents, kernel)
        self.currents = currents

    def pack(self, frames: Tensor, add_position: nn.Module) -> Tensor:
        """Frames `[T, B, C, H, W]` and what is added to their currents, as rows `[T, B, n]`."""
        rows = frames.flatten(2)
        # Adding to zeros of every sample, rather than repeating, is what a tracer can follow.
        zeros = functional.pad(rows, (0, math.prod(self.currents)))[:, :, rows.shape[2] :]
        positions: Tensor = add_position(zeros.reshape(*frames.shape[:2], *self.currents))
        return torch.cat([rows, positions.flatten(2)], 2)

    def step(self, current: Tensor, feedback: Tensor) -> tuple[Tensor, Tensor]:
        pixels = math.prod(self.frame)
        frame = current[:, :pixels].reshape(-1, *self.frame)
        position = current[:, pixels:].reshape(-1, *self.currents)
        spikes: Tensor = self.neuron(self.stem(frame + feedback) + position)
        return spikes, self.bn(self.conv(spikes))
