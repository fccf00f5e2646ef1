"""Frames of many recordings, computed once and kept in a memory-mapped file."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError
from spikeport.core.files import atomic_path, remove_abandoned, write_json
from spikeport.core.progress import track
from spikeport.train.data.cache import stored_or_built
from spikeport.train.data.frames import Counts, Framing, SensorSize, require_room, to_frames
from spikeport.train.data.recordings import Events

logger = logging.getLogger(__name__)

# Raise it whenever the same settings would give other frames.
_VERSION = 1
_ROWS = 64


@dataclass(frozen=True)
class Framed:
    """Frames `[N, T, 2, H, W]` of the recordings `kept` (ascending indices), mapped from disk."""

    frames: Counts
    kept: NDArray[np.intp]
    skipped: tuple[str, ...]
    repaired: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """Recordings by index.

    Attributes:
        names: of the recordings, for messages.
        load: events in order of time, and what was repaired; FileError where it is bad.
    """

    names: Sequence[str]
    load: Callable[[int], tuple[Events, tuple[str, ...]]]


def framed(
    cache: Path,
    settings: Mapping[str, Any],
    source: Source,
    size: SensorSize,
    steps: int,
    framing: Framing,
    *,
    skip_bad: bool = False,
) -> Framed:
    """Frame every recording of `source`; from the cache where it was done before.

    Recordings are read one at a time and frames go to disk as they are made, so that memory does
    not grow with their number. Several processes may ask at once: one builds, the others wait.

    Args:
        cache: folder for the frames.
        settings: all that the events depend on; frames of other settings are not taken.
        skip_bad: leave bad recordings out and list them; otherwise the first one is an error.

    Raises:
        FileError: a recording is bad, all are, or the cache folder cannot be written.
        UsageError: see `require_room`.
    """
    require_room(size, steps)
    told = {
        "version": _VERSION,
        "size": size,
        "steps": steps,
        "framing": framing,
        "skip_bad": skip_bad,
        **settings,
    }
    key = sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    path = cache / f"frames-{key[:16]}.npy"

    def build() -> Framed:
        remove_abandoned(path)
        _build(path, key, source, size, steps, framing, skip_bad)
        found = _stored(path, key)
        if found is None:
            raise FileError(
                "these cached frames changed while they were read.",
                where=str(path),
                fix="Remove the file and try again.",
            )
        return found

    return stored_or_built(path, lambda: _stored(path, key), build)


def _build(
    path: Path,
    key: str,
    source: Source,
    size: SensorSize,
    steps: int,
    framing: Framing,
    skip_bad: bool,
) -> None:
    width, height, polarities = size
    shape = (len(source.names), steps, polarities, height, width)
    kept: list[int] = []
    skipped: list[str] = []
    repaired: list[str] = []
    with atomic_path(path) as temporary:
        store = _mapped(temporary, np.dtype(np.uint8), shape)
        for index in track(range(len(source.names)), "Framing recordings"):
            try:
                events, repairs = source.load(index)
            except FileError as error:
                if not skip_bad:
                    raise
                skipped.append(str(error))
                continue
            repaired += [f"{source.names[index]}: {repair}" for repair in repairs]
            frames = to_frames(events, size, steps, framing)
            if frames.dtype.itemsize > store.dtype.itemsize:
                store = _widened(store, temporary, frames.dtype, len(kept))
            store[len(kept)] = frames
            kept.append(index)
        store.flush()
        checksum = _checksum(store)
        del store
    if not kept:
        raise FileError(
            f"not one of {len(source.names)} recordings can be read. The first: "
            f"{skipped[0] if skipped else 'there is none'}",
            where=str(Path(source.names[0]).parent) if source.names else "",
            fix="Check the folder.",
        )
    notes = {"kept": kept, "skipped": skipped, "repaired": repaired}
    write_json(path.with_suffix(".json"), {"key": key, "checksum": checksum, **notes})


def _mapped(path: Path, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Any:
    library: Any = np.lib.format
    return library.open_memmap(path, "w+", dtype, shape)


def _widened(store: Any, path: Path, dtype: np.dtype[Any], rows: int) -> Any:
    """The same frames with room for larger counts."""
    wide = path.with_name(path.name + ".wide")
    larger = _mapped(wide, dtype, store.shape)
    for start in range(0, rows, _ROWS):
        end = min(rows, start + _ROWS)
        larger[start:end] = store[start:end]
    wide.replace(path)
    return larger


def _stored(path: Path, key: str) -> Framed | None:
    notes_file = path.with_suffix(".json")
    if not path.exists() or not notes_file.exists():
        return None
    try:
        notes = json.loads(notes_file.read_text(encoding="utf-8"))
        frames: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        if notes["key"] != key or notes["checksum"] != _checksum(frames):
            raise ValueError("its checksum differs")
        kept = np.array(notes["kept"], np.intp)
        told = tuple(notes["skipped"]), tuple(notes["repaired"])
        return Framed(frames[: len(kept)], kept, *told)
    except (ValueError, KeyError, TypeError, OSError, EOFError) as error:
        logger.warning("%s: this cache file is damaged (%s). It is built again.", path, error)
        return None


def _checksum(frames: Any) -> str:
    value = 0
    for start in range(0, len(frames), _ROWS):
        value = zlib.crc32(np.ascontiguousarray(frames[start : start + _ROWS]).data, value)
    return f"{value:08x}"
