"""Data in a folder of the user's: `PATH/SPLIT/CLASS/*` in any format that can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from spikeport.core.errors import FileError, UnknownNameError
from spikeport.core.files import cache_folder
from spikeport.core.progress import track
from spikeport.train.data.cache import cached_tensors
from spikeport.train.data.frame_dataset import FrameDataset
from spikeport.train.data.framed import Source, framed
from spikeport.train.data.frames import Framing
from spikeport.train.data.readers import read_events, stream_events
from spikeport.train.data.recordings import Events

DESCRIPTION_FILE = "dataset.json"
_TREE = f"""PATH/
  train/CLASS/*   recordings, one class a folder
  test/CLASS/*
  {DESCRIPTION_FILE}    optional: {{"sensor_size": [width, height], "provenance": "..."}}"""


@dataclass(frozen=True)
class _Sensor:
    width: int
    height: int
    origin: str


@dataclass(frozen=True)
class FolderEvents:
    """Recordings in files."""

    files: tuple[Path, ...]
    sensor: _Sensor

    @property
    def sensor_size(self) -> tuple[int, int, int]:
        return (self.sensor.width, self.sensor.height, 2)

    def __getitem__(self, index: int) -> Events:
        """One recording.

        Raises:
            FileError: it is bad, or was changed since.
        """
        return self.read(index)[0]

    def read(self, index: int) -> tuple[Events, tuple[str, ...]]:
        """One recording, and what was repaired."""
        read = read_events(self.files[index])
        _check_fits(self.files[index], read.events, self.sensor)
        return read.events, read.repairs


def open_folder(
    path: Path | None,
    split: str,
    *,
    steps: int,
    framing: Framing,
    seed: int,
    skip_bad: bool = False,
) -> FrameDataset:
    """Frames of `PATH/SPLIT/CLASS/*`; labels follow the sorted names of the class folders.

    The sensor is that of `dataset.json`, or the one all files state, or as large as the events of
    all splits reach; the provenance says which.

    Raises:
        UnknownNameError: the folder has no such split.
        FileError: the folder is not laid out so, or a recording is bad (its name and byte offset
            are told); with `skip_bad` those are left out and listed in `skipped`.
    """
    root = _checked(path)
    splits = _folders(root)
    if split not in splits:
        raise UnknownNameError("split", split, splits)
    files = {name: _recordings(root / name) for name in splits}
    classes = sorted({each.parent.name for found in files.values() for each in found})
    chosen = files[split]
    if not chosen:
        raise _not_laid_out(root, f"{split} holds no recordings")
    description = _described(root)
    everything = [each for name in splits for each in files[name]]
    sensor = _sensor(root, description, everything)
    recordings = FolderEvents(tuple(chosen), sensor)
    settings = {"folder": str(root.resolve()), "split": split, "files": _stamps(root, chosen)}
    found = framed(
        cache_folder(),
        settings,
        Source([str(each) for each in chosen], recordings.read),
        recordings.sensor_size,
        steps,
        framing,
        skip_bad=skip_bad,
    )
    labels = np.array([classes.index(each.parent.name) for each in chosen], np.int64)[found.kept]
    told = description.get("provenance") or f"recordings in the folder {root.name}"
    provenance = (
        f"{told}; sensor of {sensor.width} x {sensor.height} pixels ({sensor.origin}); split "
        f"{split} by folder"
    )
    if found.skipped:
        provenance += f"; {len(found.skipped)} bad recordings left out"
    if found.repaired:
        provenance += f"; {len(found.repaired)} recordings repaired"
    return FrameDataset(
        name="folder",
        provenance=provenance,
        classes=tuple(classes),
        frames=found.frames,
        labels=labels,
        skipped=found.skipped,
        repaired=found.repaired,
        events=FolderEvents(tuple(chosen[index] for index in found.kept), sensor),
    )


def _checked(path: Path | None) -> Path:
    if path is None:
        raise FileError("which folder is not said.", where="folder", fix="Write it as folder:PATH.")
    if not path.is_dir():
        raise _not_laid_out(path, "this folder does not exist")
    if not any(_folders(path / split) for split in _folders(path)):
        raise _not_laid_out(path, "this folder has no class folders within split folders")
    return path


def _not_laid_out(path: Path, why: str) -> FileError:
    return FileError(f"{why}.", where=str(path), fix=f"Expected:\n{_TREE}")


def _folders(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir() if each.is_dir() and each.name[0] != ".")


def _recordings(split: Path) -> list[Path]:
    return [
        each
        for name in _folders(split)
        for each in sorted((split / name).iterdir())
        if each.is_file() and each.name[0] != "."
    ]


def _stamps(root: Path, files: list[Path]) -> list[tuple[str, int, int]]:
    stats = [each.stat() for each in files]
    return [
        (str(each.relative_to(root)), stat.st_size, stat.st_mtime_ns)
        for each, stat in zip(files, stats, strict=True)
    ]


def _described(root: Path) -> dict[str, Any]:
    path = root / DESCRIPTION_FILE
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        size, told = content.get("sensor_size", [1, 1]), content.get("provenance", "")
        sound = (
            isinstance(told, str)
            and len(size) == 2
            and all(type(side) is int and 0 < side <= 1 << 15 for side in size)
        )
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise _wrong_description(path) from error
    if not sound:
        raise _wrong_description(path)
    return dict(content)


def _wrong_description(path: Path) -> FileError:
    return FileError(
        "it does not say sensor_size as [width, height] and provenance as a text.",
        where=str(path),
        fix="Correct or remove it.",
    )


def _sensor(root: Path, description: dict[str, Any], files: list[Path]) -> _Sensor:
    if "sensor_size" in description:
        width, height = description["sensor_size"]
        return _Sensor(width, height, f"stated in {DESCRIPTION_FILE}")

    def measure() -> dict[str, torch.Tensor]:
        return {"size": torch.tensor(_measured(files))}

    settings = {"folder": str(root.resolve()), "files": _stamps(root, files)}
    stored = cached_tensors(cache_folder(), "sensor", settings, measure)
    width, height, stated = stored["size"].tolist()
    origins = (
        "the largest extent of the events",
        "the largest that the files state",
        "stated in the files",
    )
    return _Sensor(width, height, origins[stated])


def _measured(files: list[Path]) -> list[int]:
    """Width, height, and how they are known; bad files are told when they are framed."""
    sizes: set[tuple[int, int]] = set()
    extent, silent = [0, 0], False
    for path in track(files, "Looking for the sensor's size"):
        try:
            stream = stream_events(path)
            if stream.sensor_size is not None:
                sizes.add(stream.sensor_size)
                continue
            events = read_events(path).events
        except FileError:
            continue
        silent = True
        if len(events):
            extent = [max(extent[i], int(events[n].max()) + 1) for i, n in enumerate("xy")]
    width = max([extent[0], 1, *(size[0] for size in sizes)])
    height = max([extent[1], 1, *(size[1] for size in sizes)])
    if silent:
        return [width, height, 0]
    return [width, height, 2 if len(sizes) == 1 else 1]


def _check_fits(path: Path, events: Events, sensor: _Sensor) -> None:
    outside = (events["x"] >= sensor.width) | (events["y"] >= sensor.height)
    if outside.any():
        raise FileError(
            f"{int(outside.sum()):,} events lie outside the sensor of {sensor.width} x "
            f"{sensor.height} pixels ({sensor.origin}).",
            where=str(path),
            fix=f"State the sensor's size in {DESCRIPTION_FILE}.",
        )
