"""Random maps of event frames."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from spikeport.train.recipe import AugmentRecipe

# Points along each side of the coarse grid that elastic displacements are drawn on.
_ELASTIC_GRID = 5


def augment(frames: Tensor, recipe: AugmentRecipe, generator: torch.Generator) -> Tensor:
    """Map every recording by its own random map, all its frames alike.

    Pixels take the count of the nearest one, so counts stay whole numbers as in real frames.

    Args:
        frames: `[B, T, C, H, W]`.
        recipe: bounds of the uniform distributions drawn from.
        generator: source of the random numbers.

    Returns:
        `[B, T, C, H, W]`, zero where the map points outside.
    """
    flat = frames.flatten(1, 2)
    theta = _affine(frames, recipe, generator)
    grid = functional.affine_grid(theta, list(flat.shape), align_corners=False)
    if recipe.elastic > 0:
        grid = grid + _displacement(frames, recipe, generator)
    mapped = functional.grid_sample(flat, grid, mode="nearest", align_corners=False)
    return mapped.view_as(frames)


def _affine(frames: Tensor, recipe: AugmentRecipe, generator: torch.Generator) -> Tensor:
    """Affine maps, `[B, 2, 3]` in half widths and heights."""
    batch, height, width = frames.shape[0], *frames.shape[3:]
    draws = 2 * torch.rand(6, batch, generator=generator, dtype=frames.dtype) - 1
    angle = torch.deg2rad(draws[0] * recipe.rotate)
    shear = torch.tan(torch.deg2rad(draws[1] * recipe.shear))
    wide, high = 1 + recipe.scale * draws[2:4]
    right, down = draws[4] * 2 * recipe.shift / width, draws[5] * 2 * recipe.shift / height
    cos, sin = torch.cos(angle), torch.sin(angle)
    first = torch.stack([cos * wide, (cos * shear - sin) * high, right], -1)
    second = torch.stack([sin * wide, (sin * shear + cos) * high, down], -1)
    return torch.stack([first, second], 1)


def _displacement(frames: Tensor, recipe: AugmentRecipe, generator: torch.Generator) -> Tensor:
    """Smooth displacements, `[B, H, W, 2]` in half widths and heights."""
    batch, height, width = frames.shape[0], *frames.shape[3:]
    coarse = torch.randn(
        batch, 2, _ELASTIC_GRID, _ELASTIC_GRID, generator=generator, dtype=frames.dtype
    )
    fine = functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    per_pixel = torch.tensor([2 / width, 2 / height], dtype=frames.dtype)
    return fine.permute(0, 2, 3, 1) * per_pixel * recipe.elastic
