"""One random operation for each recording."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# As the published programs for event data have it (SNNAugmentWide of Spikformer and QKFormer): 31
# magnitudes from 0 to these, both ways.
_SHEAR, _SHIFT, _ROTATE = 0.3, 5.0, 30.0
_BINS = 31
_OPERATIONS = ("nothing", "shear", "shift_x", "shift_y", "rotate", "cutout")


def wide(frames: Tensor) -> Tensor:
    """Do one of six operations to a recording, all its frames alike.

    Nothing, a shear along x of up to 0.3, a shift along x or y of up to 5 whole pixels, a rotation
    of up to 30 degrees, or a square of 0.1 to 11 % of the area cut out. Pixels take the count of
    the nearest one.

    Args:
        frames: `[T, C, H, W]`.

    Returns:
        `[T, C, H, W]`. Random numbers come from torch's own generator.
    """
    # Late, since it is slow.
    from torchvision.transforms import RandomErasing
    from torchvision.transforms.v2 import functional

    operation = _OPERATIONS[int(torch.randint(len(_OPERATIONS), ()))]
    if operation == "nothing":
        return frames
    if operation == "cutout":
        erased: Tensor = RandomErasing(p=1, scale=(0.001, 0.11), ratio=(1, 1))(frames)
        return erased
    part = float(torch.randint(_BINS, ())) / (_BINS - 1) * (1 - 2 * int(torch.randint(2, ())))
    angle = part * _ROTATE if operation == "rotate" else 0.0
    shear = math.degrees(part * _SHEAR) if operation == "shear" else 0.0
    shift = [int(part * _SHIFT) * (operation == f"shift_{axis}") for axis in "xy"]
    mapped: Tensor = functional.affine(
        frames, angle=angle, translate=shift, scale=1.0, shear=[shear, 0.0]
    )
    return mapped
