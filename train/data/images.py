"""Labelled images: an `.npz`, or a folder with a folder of pictures for each class.

`open_images` is for a camera that looks at them, `open_pixels` for networks that read them.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError
from spikeport.core.files import readable_file
from spikeport.core.npz import checked_member

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm")
# Beyond this a simulated camera would have more pixels than real ones.
_LARGEST = 512


@dataclass(frozen=True)
class LabelledImages:
    """Square grey images.

    Attributes:
        pixels: `[N, S, S]` uint8; white is bright.
        labels: `[N]`, places in `classes`.
        classes: names, sorted, fit for folders.
        origin: where the images come from, for provenance.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    origin: str


@dataclass(frozen=True)
class LabelledPixels:
    """Images as a network reads them.

    Attributes:
        pixels: `[N, C, H, W]` uint8, C 1 (grey) or 3 (red, green, blue).
        labels: `[N]`: the class numbers of the file, or places in `classes`.
        classes: names, sorted; empty if the file gives numbers.
        origin: where the images come from.
    """

    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    origin: str


def open_pixels(path: str | Path, channels: int) -> LabelledPixels:
    """Read labelled images unchanged: neither their colours nor their sizes.

    Args:
        path: an `.npz` with `images` (`[N, H, W]` or `[N, H, W, 3]`, uint8) and `labels` (`[N]`,
            class numbers or names), or a folder `CLASS/*.png`.
        channels: 1 or 3, what the pictures of a folder are read as.

    Raises:
        FileError: missing, damaged, of several sizes, without labels, or of another number of
            channels.
    """
    where = Path(path)
    if where.is_dir():
        images, found = _from_folder(where, "L" if channels == 1 else "RGB")
        labels: NDArray[Any] = np.array(found)
    else:
        images, labels = _stored(where)
    if images.ndim == 3:
        images = images[..., None]
    shaped = images.ndim == 4 and images.dtype == np.uint8 and min(images.shape) > 0
    if not shaped or images.shape[3] != channels or len(images) != len(labels):
        raise _bad(
            where,
            f"images are {images.dtype} {list(images.shape)} with {len(labels)} labels, the "
            f"network reads {channels} channels",
        )
    names = tuple(sorted(set(labels.tolist()))) if labels.dtype.kind == "U" else ()
    numbers = np.searchsorted(names, labels) if names else labels
    pixels = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
    return LabelledPixels(pixels, numbers.astype(np.int64), names, where.name)


def pixel_shape(path: str | Path) -> tuple[int, int, int]:
    """(C, H, W) of the images of an `.npz`, or of a folder, whose pictures are read in colour.

    Raises:
        FileError: as for `open_pixels`.
    """
    where = Path(path)
    images = _from_folder(where, "RGB")[0] if where.is_dir() else _stored(where)[0]
    if images.ndim not in (3, 4):
        raise _bad(where, f"images are {images.dtype} {list(images.shape)}")
    channels = images.shape[3] if images.ndim == 4 else 1
    return channels, images.shape[1], images.shape[2]


def open_images(path: str | Path) -> LabelledImages:
    """Read labelled images.

    Args:
        path: an `.npz` with `images` (`[N, H, W]` or `[N, H, W, 3]`, uint8) and `labels` (`[N]`,
            whole numbers or names), or a folder `CLASS/*.png`. Images that are not square are
            padded with black.

    Raises:
        FileError: missing, damaged, of several sizes, or without labels.
    """
    where = Path(path)
    images, names = _from_folder(where) if where.is_dir() else _from_npz(where)
    if images.ndim == 4 and images.shape[3] == 3:
        # ITU-R BT.601, as Pillow does it.
        images = np.round(images @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    if images.ndim != 3 or images.dtype != np.uint8 or len(images) != len(names):
        raise _bad(
            where, f"images are {images.dtype} {list(images.shape)} with {len(names)} labels"
        )
    height, width = images.shape[1:]
    if not len(images) or not 0 < max(height, width) <= _LARGEST or not min(height, width):
        raise _bad(where, f"there are {len(images)} images of {width} x {height} pixels")
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    border = ((0, 0), (top, side - height - top), (left, side - width - left))
    classes = tuple(sorted(set(names)))
    for name in classes:
        if not re.fullmatch(r"[\w+ -][\w.+ -]*", name):
            raise _bad(where, f"{name!r} is no name for a folder")
    labels = np.array([classes.index(name) for name in names], np.int64)
    return LabelledImages(np.pad(images, border), labels, classes, where.name)


def _stored(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images and labels (whole numbers or names) of an `.npz`."""
    readable_file(path, "file of images")
    try:
        with zipfile.ZipFile(path) as archive:
            for name in ("images", "labels"):
                checked_member(path, archive, archive.getinfo(f"{name}.npy"))
        with np.load(path, allow_pickle=False) as stored:
            images, labels = np.asarray(stored["images"]), np.asarray(stored["labels"])
    except MemoryError:  # no damage of the file
        raise
    # What numpy raises for damage is no short list.
    except Exception as error:
        raise _bad(path, f"numpy cannot read it ({str(error)[:200]})") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iuU":
        raise _bad(path, f"labels are {labels.dtype} {list(labels.shape)}")
    if labels.dtype.kind != "U" and len(labels) and labels.min() < 0:
        raise _bad(path, "labels are negative")
    return images, labels


def _from_npz(path: Path) -> tuple[NDArray[Any], list[str]]:
    images, labels = _stored(path)
    if labels.dtype.kind == "U":
        return images, [str(label) for label in labels]
    # Leading zeros, so that the order of the names is that of the numbers.
    digits = len(str(int(labels.max(initial=0))))
    return images, [f"{int(label):0{digits}d}" for label in labels]


def _from_folder(path: Path, mode: str = "L") -> tuple[NDArray[Any], list[str]]:
    from PIL import Image

    pictures, names = [], []
    for folder in sorted(each for each in path.iterdir() if each.is_dir()):
        for file in sorted(folder.iterdir()):
            if file.suffix.lower() not in _SUFFIXES or file.name.startswith("."):
                continue
            try:
                with Image.open(file) as picture:
                    if max(picture.size) > _LARGEST:
                        raise _bad(file, f"it has {picture.width} x {picture.height} pixels")
                    pictures.append(np.asarray(picture.convert(mode), np.uint8))
            except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
                raise _bad(file, f"it is no picture ({str(error)[:200]})") from error
            if pictures[-1].shape != pictures[0].shape:
                raise _bad(file, "its size is not that of the other pictures")
            names.append(folder.name)
    if not pictures:
        raise _bad(path, "it holds no CLASS/*.png")
    return np.stack(pictures), names


def _bad(path: Path, why: str) -> FileError:
    return FileError(
        f"{why}.",
        where=str(path),
        fix="Give an .npz with images [N, H, W] uint8 and labels [N], or a folder CLASS/*.png of "
        f"pictures of one size, up to {_LARGEST} pixels wide.",
    )
