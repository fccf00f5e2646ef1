"""Pictures, pixel by pixel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from spikeport.core.errors import UsageError
from spikeport.train.data.pictures import OFF, ON, paint, paint_counts, picture, save_pictures

WHITE = (255, 255, 255)
ZOOM = 64
"""256 pixels for 4."""


def counts() -> np.ndarray:
    """ON at (1, 0), OFF at (2, 3), both at (3, 3)."""
    frame = np.zeros((2, 4, 4), int)
    frame[1, 0, 1] = frame[0, 3, 2] = 1
    frame[:, 3, 3] = 1
    return frame


def colour(image: Image.Image, x: int, y: int, zoom: int = ZOOM) -> tuple[int, ...]:
    """Of one pixel of the sensor; all of it has that colour."""
    box = image.convert("RGB").crop((x * zoom, y * zoom, (x + 1) * zoom, (y + 1) * zoom))
    ((_, found),) = box.getcolors()  # type: ignore[misc]
    return found  # type: ignore[return-value]


def test_pixels_have_the_colours_of_their_events(tmp_path: Path) -> None:
    save_pictures(tmp_path / "a.png", [picture(paint_counts(counts()))], 20)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (256, 256)
        assert colour(image, 1, 0) == ON
        assert colour(image, 2, 3) == OFF
        assert colour(image, 0, 0) == WHITE
        # Both inks, one over the other.
        both = tuple(round(a * b / 255) for a, b in zip(ON, OFF, strict=True))
        assert colour(image, 3, 3) == both


def test_on_and_off_differ_in_light_for_every_kind_of_colour_vision() -> None:
    # Blue and vermilion keep their distance along blue, which nearly everybody tells apart.
    assert ON[2] - OFF[2] > 150 and OFF[0] - ON[0] > 150


def test_strengths_are_those_of_the_ink() -> None:
    values = np.zeros((2, 1, 3))
    values[1, 0] = [1 / 15, 0.5, 0.02]
    image = picture(paint(values))
    zoom = image.width // 3
    assert colour(image, 2, 0, zoom) == WHITE
    for x, level in ((0, 1), (1, 8)):
        expected = tuple(round(255 - level / 15 * (255 - ink)) for ink in ON)
        assert colour(image, x, 0, zoom) == expected


def test_a_single_event_is_seen_beside_many() -> None:
    frame = counts() * 1000
    frame[1, 1, 1] = 1
    assert colour(picture(paint_counts(frame)), 1, 1) != WHITE


def test_an_animation_shows_each_window_for_its_time(tmp_path: Path) -> None:
    pictures = [picture(paint_counts(np.roll(counts(), step, 2)), f"{step}") for step in range(3)]
    save_pictures(tmp_path / "a.gif", pictures, 50)
    with Image.open(tmp_path / "a.gif") as image:
        assert image.n_frames == 3 and image.info["duration"] == 50
        assert image.size[1] > 256  # the caption below
        for step in range(3):
            image.seek(step)
            assert colour(image, (1 + step) % 4, 0) == ON
            strip = np.asarray(image.convert("L"))[256:]
            assert (strip < 100).any() and (strip == 255).any()


def test_a_sheet_holds_all_windows(tmp_path: Path) -> None:
    pictures = [picture(paint_counts(np.roll(counts(), step, 2))) for step in range(3)]
    save_pictures(tmp_path / "a.png", pictures, 50)
    with Image.open(tmp_path / "a.png") as image:
        assert image.size == (516, 516)
        for step, corner in enumerate([(0, 0), (260, 0), (0, 260)]):
            part = image.crop((*corner, corner[0] + 256, corner[1] + 256))
            assert colour(part, (1 + step) % 4, 0) == ON


def test_no_events_are_a_white_picture() -> None:
    assert colour(picture(paint_counts(np.zeros((2, 4, 4)))), 2, 2) == WHITE


def test_other_files_and_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no picture that can be written"):
        save_pictures(tmp_path / "a.jpg", [picture(paint_counts(counts()))], 20)
    with pytest.raises(UsageError, match="nothing to show"):
        save_pictures(tmp_path / "a.png", [], 20)
    assert not list(tmp_path.iterdir())
