"""What all models of the zoo have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol, Self

from torch import Tensor, nn

from spikeport.core.errors import UnsupportedError
from spikeport.train.models.embeddings.base import EncodingEmbedding, PatchEmbedding
from spikeport.train.models.input import check_frames, check_image
from spikeport.train.models.neuron import reset_neurons
from spikeport.train.models.steps import channels_last
from spikeport.train.models.stf.options import StfOptions


class Options(Protocol):
    """What the options of every family tell; pydantic models, frozen."""

    @property
    def num_classes(self) -> int: ...

    @property
    def steps(self) -> int | None: ...

    @property
    def input_shape(self) -> tuple[int, int, int]: ...

    @property
    def stf(self) -> StfOptions | None: ...

    def model_dump(self, *, mode: str) -> dict[str, Any]: ...

    def model_copy(self, *, update: dict[str, Any]) -> Self: ...


class ZooModel(nn.Module, ABC):
    """Frames `[B, T, C, H, W]`, or images `[B, C, H, W]`, -> class scores `[B, num_classes]`.

    Static images (`options.steps` is a number) are shown at each of T time steps. Every forward
    starts from rest and leaves no state behind.

    Raises:
        UsageError: the input is not of the shape that `options` names.
    """

    def __init__(self, options: Options) -> None:
        super().__init__()
        self.options = options

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.options.input_shape

    @property
    def num_classes(self) -> int:
        """Width of the output."""
        return self.options.num_classes

    @property
    def encoder(self) -> PatchEmbedding:
        """The part that reads the input.

        Raises:
            UnsupportedError: the model has none that is apart from the rest.
        """
        raise UnsupportedError(
            f"{type(self).__name__} has no encoding layer of its own.",
            where="encoder",
            fix="Use a model whose first neurons alone read the first currents.",
        )

    def add_stf(self, options: StfOptions) -> None:
        """Put temporal feedback around the encoding layer of this very model.

        Raises:
            UnsupportedError: the model has no encoding layer of its own.
        """
        encoder = self.encoder
        if not isinstance(encoder, EncodingEmbedding):
            raise UnsupportedError(
                f"{type(encoder).__name__} does not begin with a convolution of the frames.",
                where="STF",
                fix="Use a first patch embedding that begins with a convolution, such as orig or "
                "max_plus.",
            )
        encoder.add_stf(self.input_shape, options)
        self.options = self.options.model_copy(update={"stf": options})

    @abstractmethod
    def decide(self, x: Tensor) -> Tensor:
        """What the encoder gives, `[T, B, C, H, W]`, to class scores `[B, num_classes]`."""

    def read(self, x: Tensor) -> Tensor:
        """Input to what the encoder gives, `[T, B, C, H, W]`."""
        steps = self.options.steps
        if steps is None:
            check_frames(x, self.input_shape)
            encoded: Tensor = self.encoder(self.laid_out(x.transpose(0, 1)))
            return encoded
        check_image(x, self.input_shape)
        return self.encoder.show(self.laid_out(x), steps)

    def laid_out(self, x: Tensor) -> Tensor:
        """Input in the layout that inference is fastest in; training keeps that of its weights."""
        return x if self.training else channels_last(x)

    def forward(self, x: Tensor) -> Tensor:
        reset_neurons(self)
        scores = self.decide(self.read(x))
        # The state holds the autograd graph of this batch, and would not survive a deep copy.
        reset_neurons(self)
        return scores
