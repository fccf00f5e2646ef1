"""What can be chosen about a Spikformer."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from spikeport.train.models.stf.options import StfOptions, stf_by_name

Version = Literal["cifar", "event", "imagenet"]

# Which of the four convolutions of the patch splitting a max pooling follows.
POOLS: dict[Version, tuple[bool, bool, bool, bool]] = {
    "cifar": (False, False, True, True),
    "event": (True, True, True, True),
    "imagenet": (True, True, True, True),
}


class SpikformerOptions(BaseModel):
    """Options of `create_model` for Spikformer (arXiv 2209.15425).

    Args:
        version: which of the three published programs; they differ in more than sizes.
        in_channels: channels of a frame.
        num_classes: width of the output.
        dim: channels D, a multiple of 8.
        depth: number of blocks.
        heads: attention heads; divides D.
        mlp_ratio: hidden width of the MLPs over D.
        image_size: height and width of a frame in pixels, multiples of 4 (CIFAR) or 16.
        steps: None for sequences of frames (event version), T for images.
        stf: temporal feedback around the encoding layer: `StfOptions`, or the name of a variant
            (then for the T of `steps`, or 4).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version
    in_channels: int = Field(default=3, ge=1)
    num_classes: int = Field(default=1000, ge=1)
    dim: int = Field(default=512, ge=8, multiple_of=8)
    depth: int = Field(default=8, ge=1)
    heads: int = Field(default=8, ge=1)
    mlp_ratio: float = Field(default=4.0, gt=0)
    image_size: tuple[int, int] = (224, 224)
    steps: int | None = Field(default=4, ge=1)
    stf: Annotated[StfOptions | None, BeforeValidator(stf_by_name)] = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"heads {self.heads} does not divide dim {self.dim}")
        shrink = 2 ** sum(POOLS[self.version])
        if any(side < shrink or side % shrink for side in self.image_size):
            raise ValueError(f"image_size {self.image_size} is not a multiple of {shrink}")
        return self

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.in_channels, *self.image_size

    @property
    def tokens(self) -> int:
        """Number of tokens N."""
        height, width = self.image_size
        shrink = 1 << sum(POOLS[self.version])
        return (height // shrink) * (width // shrink)
