"""What can be chosen about a Max-Former."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Frames are halved four times; channels start at dim / 16.
DOWNSAMPLING = 16


class MaxFormerOptions(BaseModel):
    """Options of `create_model`; the number of time steps T is free and no option.

    Args:
        in_channels: channels of a frame (2: OFF and ON events).
        num_classes: width of the output.
        dim: channels D of the second stage; the first has D / 2. A multiple of 16.
        heads: attention heads; divides D.
        mlp_ratio: hidden width of the MLPs over their width.
        image_size: height and width of a frame in pixels, multiples of 16.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    in_channels: int = Field(default=2, ge=1)
    num_classes: int = Field(default=10, ge=1)
    dim: int = Field(default=256, ge=16, multiple_of=DOWNSAMPLING)
    heads: int = Field(default=16, ge=1)
    mlp_ratio: float = Field(default=1.0, gt=0)
    image_size: tuple[int, int] = (128, 128)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.dim % self.heads:
            raise ValueError(f"heads {self.heads} does not divide dim {self.dim}")
        if any(side < DOWNSAMPLING or side % DOWNSAMPLING for side in self.image_size):
            raise ValueError(f"image_size {self.image_size} is not a multiple of {DOWNSAMPLING}")
        return self

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Shape of one frame, (C, H, W)."""
        return self.in_channels, *self.image_size
