"""Pictures of events: ON blue, OFF vermilion, on white."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from spikeport.core.errors import UsageError
from spikeport.core.files import atomic_path

ON, OFF = (0, 114, 178), (213, 94, 0)
"""Blue and vermilion of the palette for all kinds of colour vision by Okabe and Ito (2008), as in
Wong, Nature Methods 8, 441 (2011)."""
LEVELS = 16
"""Strengths of each of the two inks."""
_BRIGHTEST = 99
"""Percentile of the counts of active pixels that gets the full ink: one hot pixel must not make
the rest of a frame pale."""
_SIDE = 256
"""Small sensors are enlarged to about so many pixels."""
_TEXT, _MARGIN = 12, 4
_GIF_MS = 20
"""Viewers slow down animations whose frames are shorter."""

Levels = NDArray[np.uint8]


def palette() -> list[int]:
    """RGB of colour `16 off + on`: both inks take away light, each by its strength."""
    colours = []
    for off in range(LEVELS):
        for on in range(LEVELS):
            for channel in range(3):
                rest = 255.0
                for level, ink in ((off, OFF), (on, ON)):
                    rest *= 1 - level / (LEVELS - 1) * (1 - ink[channel] / 255)
                colours.append(round(rest))
    return colours


def paint(values: NDArray[Any]) -> Levels:
    """Colours `[H, W]` of strengths `[2, H, W]` (OFF, ON) from 0 to 1."""
    levels = np.rint(np.clip(values, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    painted: Levels = levels[0] * np.uint8(LEVELS) + levels[1]
    return painted


def paint_counts(counts: NDArray[Any]) -> Levels:
    """Colours `[H, W]` of event counts `[2, H, W]`; a single event is seen."""
    active = counts[counts > 0]
    full = max(1.0, float(np.percentile(active, _BRIGHTEST))) if active.size else 1.0
    return paint(np.where(counts > 0, np.maximum(counts / full, 1 / (LEVELS - 1)), 0))


def picture(painted: Levels, caption: str = "") -> Image.Image:
    """One picture, enlarged by a whole factor, with a line of text below."""
    height, width = painted.shape
    zoom = max(1, _SIDE // max(height, width))
    image = Image.fromarray(np.kron(painted, np.ones((zoom, zoom), np.uint8)))
    strip = _TEXT + 2 * _MARGIN if caption else 0
    canvas = Image.new("P", (image.width, image.height + strip), 0)
    canvas.putpalette(palette())
    canvas.paste(image, (0, 0))
    if caption:
        draw = ImageDraw.Draw(canvas)
        draw.fontmode = "1"  # colours are numbers here, so that nothing can be blended
        font = ImageFont.load_default(_TEXT)
        draw.text((_MARGIN, image.height + _MARGIN), caption, LEVELS * LEVELS - 1, font)
    return canvas


def sheet(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures of one size side by side, in rows, four pixels apart."""
    columns = math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    width, height = pictures[0].width + _MARGIN, pictures[0].height + _MARGIN
    canvas = Image.new("P", (columns * width - _MARGIN, rows * height - _MARGIN), LEVELS * 2 + 2)
    canvas.putpalette(palette())
    for index, each in enumerate(pictures):
        canvas.paste(each, (index % columns * width, index // columns * height))
    return canvas


def save_pictures(path: Path, pictures: Sequence[Image.Image], milliseconds: float) -> None:
    """Write a sheet (`.png`) or an animation (`.gif`), atomically.

    Args:
        milliseconds: for which each picture of an animation is shown, 20 at least.

    Raises:
        UsageError: there is no picture, or the file is to be something else.
        FileError: the file cannot be written.
    """
    require_picture(path)
    if not pictures:
        raise UsageError("there is nothing to show.", where=str(path), fix="Give events.")
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".png":
            sheet(pictures).save(temporary, format="PNG")
            return
        shown = max(_GIF_MS, round(milliseconds))
        first, rest = pictures[0], list(pictures[1:])
        first.save(temporary, format="GIF", save_all=True, append_images=rest, duration=shown,
                   loop=0, optimize=False)  # fmt: skip


def require_picture(path: Path) -> None:
    """Do nothing if a file of this name can hold pictures.

    Raises:
        UsageError: it cannot.
    """
    if path.suffix.lower() not in (".png", ".gif"):
        raise UsageError(
            f"{path.suffix or 'no suffix'} is no picture that can be written.",
            where=str(path),
            fix="Name it *.png (all windows side by side) or *.gif (one after the other).",
        )
