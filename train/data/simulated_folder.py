"""Folders of simulated recordings, made of images by the camera of the event digits."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError, UnknownNameError, UsageError
from spikeport.core.files import atomic_path, remove_abandoned, write_json
from spikeport.core.progress import track
from spikeport.train.data.digits import DigitSettings, simulate
from spikeport.train.data.folder import DESCRIPTION_FILE
from spikeport.train.data.images import LabelledImages
from spikeport.train.data.pixels import PixelSettings
from spikeport.train.data.recordings import Events

FileFormat = Literal["npz", "aedat4"]
# Recordings simulated at once.
_CHUNK = 32
# Pixels around the images, as with the digits (28 in 32).
_MARGIN = 4
_SPLIT_SEED = 1


@dataclass(frozen=True)
class MadeFolder:
    """What is in the folder now: recordings by split, and how many were there already."""

    path: Path
    train: int
    test: int
    found: int
    sensor_size: int


def simulate_folder(
    images: LabelledImages,
    folder: str | Path,
    *,
    test_share: float = 0.2,
    file_format: FileFormat = "npz",
    seed: int = 0,
) -> MadeFolder:
    """Record every image with the camera of the event digits into `folder/SPLIT/CLASS/`.

    A run that was interrupted goes on where it stopped: each file is written atomically, and what
    it holds depends on the image, its index, the seed and the sensor alone.

    Args:
        images: what the camera sees.
        folder: made if needed; `--data folder:PATH` reads it.
        test_share: share of each class that becomes "test", drawn by the seed of the split.
        file_format: "npz" or "aedat4".
        seed: of movement and sensor.

    Raises:
        UsageError: a share outside 0 to 1 or one that leaves a split empty, or the folder was made
            of other images or settings.
        FileError: the folder cannot be written.
    """
    if file_format not in get_args(FileFormat):
        raise UnknownNameError("file format", file_format, get_args(FileFormat))
    root = Path(folder)
    side = images.pixels.shape[1] + _MARGIN
    settings = DigitSettings(seed=seed, pixels=PixelSettings(size=side))
    test = _drawn(images, test_share)
    _describe(root, images, settings, test_share, file_format)
    wanted = [
        root / ("test" if test[index] else "train") / images.classes[label]
        / f"{index:06d}.{file_format}"
        for index, label in enumerate(images.labels.tolist())
    ]  # fmt: skip
    missing = [index for index, path in enumerate(wanted) if not path.exists()]
    chunks = [missing[start : start + _CHUNK] for start in range(0, len(missing), _CHUNK)]
    for chunk in track(chunks, "Writing recordings"):
        made = simulate(images.pixels, np.array(chunk, np.intp), settings)
        for place, index in enumerate(chunk):
            remove_abandoned(wanted[index])
            _write(wanted[index], made[place], side, file_format)
    held_out = int(test.sum())
    found = len(wanted) - len(missing)
    return MadeFolder(root, len(wanted) - held_out, held_out, found, side)


def _drawn(images: LabelledImages, share: float) -> NDArray[np.bool_]:
    """Which images are "test": the same share of every class, rounded."""
    if not 0 < share < 1:
        raise UsageError(
            f"a share of {share} leaves a split empty.",
            where="--test-share",
            fix="Give a number between 0 and 1.",
        )
    test = np.zeros(len(images.labels), bool)
    for label, name in enumerate(images.classes):
        members = np.flatnonzero(images.labels == label)
        count = round(share * len(members))
        if not 0 < count < len(members):
            raise UsageError(
                f"class {name} has {len(members)} images; {count} of them would be test.",
                where="--test-share",
                fix="Give more images of that class, or another share.",
            )
        order = np.random.default_rng([_SPLIT_SEED, label]).permutation(members)
        test[order[:count]] = True
    return test


def _describe(
    root: Path, images: LabelledImages, settings: DigitSettings, share: float, file_format: str
) -> None:
    """Write what the folder is made of, or check that it is the same."""
    digest = sha256(images.pixels.tobytes() + images.labels.tobytes()).hexdigest()
    side = settings.pixels.size
    content = {
        "sensor_size": [side, side],
        "provenance": (
            f"simulated events: {len(images.labels):,} images of {images.origin}, moved along "
            f"three 100 ms saccades over a simulated {side} x {side} event-camera pixel array; not "
            "recorded by a camera"
        ),
        "images_sha256": digest,
        "classes": list(images.classes),
        "test_share": share,
        "format": file_format,
        "camera": asdict(settings),
    }
    path = root / DESCRIPTION_FILE
    if not path.exists():
        if root.is_dir() and any(root.iterdir()):
            raise UsageError(
                "this folder holds something else.",
                where=str(root),
                fix="Give a new folder.",
            )
        write_json(path, content)
        return
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(
            "it cannot be read.", where=str(path), fix="Remove the folder, or choose another."
        ) from error
    if there != json.loads(json.dumps(content)):
        keys = [name for name in content if not _same(there, content, name)]
        raise UsageError(
            f"this folder was made with other settings ({', '.join(keys)}).",
            where=str(root),
            fix="Give a new folder, or the settings that it was made with.",
        )


def _same(there: Any, content: dict[str, Any], name: str) -> bool:
    known = there.get(name) if isinstance(there, dict) else None
    return bool(known == json.loads(json.dumps(content[name])))


def _write(path: Path, events: Events, side: int, file_format: FileFormat) -> None:
    with atomic_path(path) as temporary:
        if file_format == "npz":
            columns: dict[str, Any] = {name: events[name] for name in "xytp"}
            with temporary.open("wb") as file:
                np.savez_compressed(file, sensor_size=np.array([side, side]), **columns)
            return
        import faery

        given = np.zeros(len(events), faery.EVENTS_DTYPE)
        for ours, theirs in (("x", "x"), ("y", "y"), ("t", "t"), ("p", "on")):
            given[theirs] = events[ours]
        stream = faery.events_stream_from_array(given, (side, side))
        stream.to_file(temporary, file_type="aedat")
