"""What can be chosen about a Max-ResNet."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ResNetOptions(BaseModel):
    """Options of `create_model` for Max-ResNet and MS-ResNet.

    Args:
        in_channels: channels of an image.
        num_classes: width of the output.
        stem: channels of the first convolution.
        blocks: basic blocks of each stage.
        widths: channels of each stage.
        max_pool: halve the size by max pooling (Max-ResNet) instead of strides (MS-ResNet).
        image_size: height and width of an image in pixels, multiples of 2^(stages - 1).
        steps: time steps T that an image is shown; None for sequences of frames, whose T is free.
        stf: always None: the first currents also feed a shortcut, so nothing can go around the
            first neurons alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_channels: int = Field(default=3, ge=1)
    num_classes: int = Field(default=10, ge=1)
    stem: int = Field(default=64, ge=1)
    blocks: tuple[int, ...] = Field(default=(3, 3, 2), min_length=1)
    widths: tuple[int, ...] = (128, 256, 512)
    max_pool: bool = True
    image_size: tuple[int, int] = (32, 32)
    steps: int | None = Field(default=4, ge=1)
    stf: None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.widths) != len(self.blocks) or min(*self.widths, *self.blocks) < 1:
            raise ValueError(f"blocks {self.blocks} and widths {self.widths} are not one to one")
        shrink = 2 ** (len(self.blocks) - 1)
        if any(side < shrink or side % shrink for side in self.image_size):
            raise ValueError(f"image_size {self.image_size} is not a multiple of {shrink}")
        return self

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one image, (C, H, W)."""
        return self.in_channels, *self.image_size
