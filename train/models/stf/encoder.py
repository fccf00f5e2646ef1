"""An encoding layer (convolution, batch norm, neurons) with STF around it."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from spikeport.train.models.steps import per_step
from spikeport.train.models.stf.feedback import (
    CurrentFeedback,
    InputFeedback,
    PositionedInputFeedback,
    Shape,
)
from spikeport.train.models.stf.options import StfOptions
from spikeport.train.models.stf.position import PositionEmbedding


class Stem(nn.Module):
    """Modules in a row that know no time, on `[B, ...]`."""

    def __init__(self, **parts: nn.Module) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.children():
            if hasattr(part, "step_mode"):
                # SpikingJelly's layers would look for a time axis.
                part.step_mode = "s"  # type: ignore[assignment]
            x = part(x)
        return x


class StfEncoder(nn.Module):
    """Frames `[T, B, C, H, W]` to the first spikes, with position embedding and feedback.

    The modules of the encoding layer move in here: `stem` (or `loop.stem` where the feedback goes
    to the input) and `loop.neuron`.

    Args:
        stem: what makes currents of one frame.
        neuron: the first neurons.
        frame: shape (C, H, W) of a frame.
        options: the variant.
    """

    def __init__(self, stem: Stem, neuron: nn.Module, frame: Shape, options: StfOptions) -> None:
        super().__init__()
        currents = _currents(stem, frame)
        weight = next(stem.parameters())
        places, kernel = options.places, options.kernel
        if places.feedback == "currents":
            self.stem = stem
            self.loop: nn.Module = CurrentFeedback(neuron, currents[0], kernel)
        elif places.embedding == "currents":
            self.loop = PositionedInputFeedback(stem, neuron, frame, currents, kernel)
        else:
            self.loop = InputFeedback(stem, neuron, frame, currents, kernel)
        self._places = places
        if places.embedding is not None:
            of_input = places.embedding == "input"
            shape = frame if of_input else currents
            self.tspe = PositionEmbedding(options.steps, shape, of_input=of_input)
        self.to(device=weight.device, dtype=weight.dtype)

    def forward(self, frames: Tensor) -> Tensor:
        if self._places.embedding == "input":
            frames = self.tspe(frames)
        if self._places.feedback == "currents":
            return self._fire(per_step(self.stem, frames))
        if self._places.embedding == "currents":
            assert isinstance(self.loop, PositionedInputFeedback)
            frames = self.loop.pack(frames, self.tspe)
        spikes: Tensor = self.loop(frames)
        return spikes

    def show(self, image: Tensor, steps: int) -> Tensor:
        """Read an image `[B, C, H, W]` at each of T time steps; convolve it once if possible."""
        changing = "input" in (self._places.embedding, self._places.feedback)
        if self.training or changing:
            spikes: Tensor = self(image.expand(steps, -1, -1, -1, -1))
            return spikes
        return self._fire(self.stem(image).expand(steps, -1, -1, -1, -1))

    def _fire(self, currents: Tensor) -> Tensor:
        if self._places.embedding == "currents":
            currents = self.tspe(currents)
        spikes: Tensor = self.loop(currents)
        return spikes


def _currents(stem: Stem, frame: Shape) -> Shape:
    """Shape (C, H, W) of what the stem makes of a frame."""
    with torch.no_grad():
        channels, height, width = (
            copy.deepcopy(stem).to("meta")(torch.empty((2, *frame), device="meta")).shape[1:]
        )
    return channels, height, width
