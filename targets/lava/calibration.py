"""Calibration frames, as a tensor or from a loader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from spikeport.core.errors import UsageError

Calibration = Tensor | Iterable[Tensor | Sequence[Tensor]]
"""`[T, B, *shape]` or images `[B, *shape]`, or batches of it, alone or followed by labels."""


def calibration_frames(calibration: Calibration, batch_axis: int = 1) -> Tensor:
    """All frames in one tensor, `[T, B, *shape]`; `[B, *shape]` for images, with batch axis 0.

    Raises:
        UsageError: there are none, or batches differ in shape.
    """
    if isinstance(calibration, Tensor):
        return calibration
    batches = calibration_batches(calibration)
    try:
        return torch.cat(batches, dim=batch_axis)
    except RuntimeError as error:
        raise UsageError(
            f"the loader's batches do not fit together: {error}",
            where="calibration",
            fix="Give batches [T, B, *shape], or images [B, *shape], that differ in B only.",
        ) from error


def calibration_batches(calibration: Calibration) -> list[Tensor]:
    """The batches, without labels; at least one.

    Raises:
        UsageError: there is none.
    """
    if isinstance(calibration, Tensor):
        return [calibration]
    batches = [batch if isinstance(batch, Tensor) else batch[0] for batch in calibration]
    if not batches:
        raise UsageError(
            "the loader gives no batch.",
            where="calibration",
            fix="Give frames [T, B, *shape] or images [B, *shape], or a loader of such batches.",
        )
    return batches
