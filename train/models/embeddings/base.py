"""What patch embeddings have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from spikeport.train.models.embeddings.projection import Projection
from spikeport.train.models.embeddings.unit import Embed
from spikeport.train.models.steps import per_step
from spikeport.train.models.stf.encoder import Stem, StfEncoder
from spikeport.train.models.stf.options import StfOptions


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


class EncodingEmbedding(PatchEmbedding, ABC):
    """A first patch embedding, which reads frames: currents = stem(frames), spikes = LIF(currents).

    The three parts are apart because a model that shows one image at every time step needs the stem
    once, and because temporal feedback (STF) goes around the first neurons.

    Attributes:
        stem_parts: paths of the modules that make the currents, in their order.
        lif_path: path of the neurons that make the first spikes.
        stf: what takes their place where there is temporal feedback.
    """

    stem_parts: ClassVar[tuple[str, ...]] = ("proj_conv", "proj_bn")
    lif_path: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.stf: StfEncoder | None = None

    @abstractmethod
    def tail(self, spikes: Tensor, currents: Tensor | None) -> Tensor:
        """What follows the first spikes; `currents` made them, None if feedback took part."""

    def forward(self, frames: Tensor) -> Tensor:
        if self.stf is not None:
            return self.tail(self.stf(frames), None)
        return self._encode(per_step(self._stem, frames))

    def show(self, image: Tensor, steps: int) -> Tensor:
        if self.stf is not None:
            return self.tail(self.stf.show(image, steps), None)
        if self.training:
            # The statistics of a batch norm are over all that it sees, repetitions included.
            return super().show(image, steps)
        return self._encode(self._stem(image).expand(steps, -1, -1, -1, -1))

    def add_stf(self, frame: tuple[int, int, int], options: StfOptions) -> None:
        """Put temporal feedback around the first neurons; the encoding layer moves into `stf`.

        Args:
            frame: shape (C, H, W) of a frame.
            options: the variant.
        """
        parts = {path.rpartition(".")[2]: self.get_submodule(path) for path in self.stem_parts}
        neuron = self.get_submodule(self.lif_path)
        for path in (*self.stem_parts, self.lif_path):
            self.set_submodule(path, nn.Identity())
        self.stf = StfEncoder(Stem(**parts), neuron, frame, options)

    def _stem(self, frame: Tensor) -> Tensor:
        """Frames `[N, C, H, W]` to the currents of the first neurons."""
        for path in self.stem_parts:
            frame = self.get_submodule(path)(frame)
        return frame

    def _encode(self, currents: Tensor) -> Tensor:
        return self.tail(self.get_submodule(self.lif_path)(currents), currents)


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
