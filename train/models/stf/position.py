"""Temporal-spatial position embedding."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spikeport.core.errors import UsageError

_BASE = 10000.0


class PositionEmbedding(nn.Module):
    """x + P with a learnable P `[T, 1, C, H, W]`, the same for all samples (TSPE).

    Args:
        steps: T.
        shape: (C, H, W).
        of_input: P of frames starts as the sum of a spatial and a temporal sinusoid; P of currents
            with a quarter of the channels for time and three for rows and columns.

    Raises:
        UsageError: the channels of currents cannot be shared out, or x has another T.
    """

    def __init__(self, steps: int, shape: tuple[int, int, int], *, of_input: bool) -> None:
        super().__init__()
        start = _summed(steps, *shape) if of_input else _shared_out(steps, *shape)
        self.position = nn.Parameter(start.unsqueeze(1))

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[0] != self.position.shape[0]:
            raise UsageError(
                f"the position embedding is made for {self.position.shape[0]} time steps, "
                f"but the input has {x.shape[0]}.",
                where="STF",
                fix="Give that many steps, or make the model with steps= set to yours.",
            )
        return x + self.position


def _sinusoid(positions: int, channels: int) -> Tensor:
    """`[positions, channels]`: sines in the first half of the channels, cosines in the second."""
    rates = _BASE ** (-torch.arange(channels // 2, dtype=torch.float64) / (channels // 2))
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _shared_out(steps: int, channels: int, height: int, width: int) -> Tensor:
    """`[T, C, H, W]`: C / 4 channels tell the time, 3 C / 8 the row and 3 C / 8 the column."""
    if channels % 16:
        raise UsageError(
            f"{channels} channels cannot be shared out between time, rows and columns.",
            where="STF",
            fix="Choose a width that gives the encoding layer a multiple of 16 channels, or a "
            "variant without position embedding (arch_5, stf_1, stf_2).",
        )
    time = _sinusoid(steps, channels // 4)[:, :, None, None]
    rows = _sinusoid(height, 3 * channels // 8).T[None, :, :, None]
    columns = _sinusoid(width, 3 * channels // 8).T[None, :, None, :]
    shape = (steps, -1, height, width)
    return torch.cat([part.expand(shape) for part in (time, rows, columns)], dim=1).float()


def _summed(steps: int, channels: int, height: int, width: int) -> Tensor:
    """`[T, C, H, W]`: a sinusoid over the pixels plus one over the steps; any C."""
    even = channels + channels % 2
    pixels = _sinusoid(height * width, even)[:, :channels].T.reshape(1, channels, height, width)
    times = _sinusoid(steps, even)[:, :channels, None, None]
    return (pixels + times).float()
