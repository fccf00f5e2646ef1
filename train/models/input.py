"""What a model reads, checked at its door."""

from __future__ import annotations

from torch import Tensor

from spikeport.core.errors import UsageError


def check_frames(x: Tensor, shape: tuple[int, int, int]) -> None:
    """Refuse what is not `[B, T, C, H, W]` with that (C, H, W).

    Raises:
        UsageError: the shape is another.
    """
    _check(x, shape, "frames [B, T, ", 5)


def check_image(x: Tensor, shape: tuple[int, int, int]) -> None:
    """Refuse what is not `[B, C, H, W]` with that (C, H, W).

    Raises:
        UsageError: the shape is another.
    """
    _check(x, shape, "images [B, ", 4)


def _check(x: Tensor, shape: tuple[int, int, int], what: str, dims: int) -> None:
    # Sizes of batch and time stay untouched, so that torch.export can leave them symbolic.
    if x.dim() != dims or tuple(x.shape[-3:]) != shape:
        channels, height, width = shape
        raise UsageError(
            f"this model reads {what}{channels}, {height}, {width}], "
            f"but was given {list(x.shape)}.",
            where="input",
            fix="Give frames of that size, or create the model with another in_channels or "
            "image_size.",
        )
