"""What patch embeddings have in common."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.unit import Embed


class PatchEmbedding(nn.Module):
    """Membranes `[T, B, in_channels, H, W]` -> `[T, B, dim, H / stride, W / stride]`.

    Attributes:
        stride: by how much it shrinks height and width.
        narrowing: its narrowest layer has dim / narrowing channels.
    """

    stride: ClassVar[int]
    narrowing: ClassVar[int] = 1

    def show(self, image: Tensor, steps: int) -> Tensor:
        """Read an image `[B, in_channels, H, W]` at each of T time steps."""
        shown: Tensor = self(image.expand(steps, -1, -1, -1, -1))
        return shown


class EncodingEmbedding(PatchEmbedding):
    """A first patch embedding, which reads frames: currents = stem(frames), spikes = LIF(currents).

    The three parts are apart because a model that shows one image at every time step needs the stem
    once, and because feedback (STF) goes around the first neuron.
    """

    @property
    def encoding_lif(self) -> nn.Module:
        """The neurons that make the first spikes."""
        raise NotImplementedError(type(self).__name__)

    def stem(self, frames: Tensor) -> Tensor:
        """Frames to the currents of the first neurons; knows no time."""
        raise NotImplementedError(type(self).__name__)

    def tail(self, spikes: Tensor, currents: Tensor) -> Tensor:
        """What follows the first spikes; `currents` are those that the first neurons read."""
        raise NotImplementedError(type(self).__name__)

    def forward(self, frames: Tensor) -> Tensor:
        return self._encode(self.stem(frames))

    def show(self, image: Tensor, steps: int) -> Tensor:
        if self.training:
            # The statistics of a batch norm are over all that it sees, repetitions included.
            return super().show(image, steps)
        return self._encode(self.stem(image.unsqueeze(0)).expand(steps, -1, -1, -1, -1))

    def _encode(self, currents: Tensor) -> Tensor:
        return self.tail(self.encoding_lif(currents), currents)


class ShortcutEmbedding(PatchEmbedding):
    """y = second(first(x)) + shortcut(LIF(x)), where the LIF is that of `first`.

    The membrane shortcut of arXiv 2505.18608, section 3.2: what is added are currents; the shortcut
    reads the spikes of the main path. The names given become those of the weights.
    """

    stride = 2

    def __init__(self, **parts: Projection) -> None:
        super().__init__()
        self._names = tuple(parts)
        for name, part in parts.items():
            self.add_module(name, part)

    def forward(self, x: Tensor) -> Tensor:
        first, second, shortcut = (self.get_submodule(name) for name in self._names)
        assert isinstance(first, Embed)
        spikes = first.embed_lif(x)
        main: Tensor = second(first.project(spikes))
        aside: Tensor = shortcut(spikes)
        return main + aside
