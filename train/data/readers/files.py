"""One structured array for every format, checked, with what was repaired."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from spikeport.core.errors import FileError
from spikeport.train.data.readers.checks import Checks
from spikeport.train.data.readers.registry import READERS, detect
from spikeport.train.data.recordings import EVENT_DTYPE, Events


@dataclass(frozen=True)
class EventFile:
    """A whole recording.

    Attributes:
        events: x, y in pixels, t in us in ascending order, p true for ON (`EVENT_DTYPE`).
        sensor_size: (width, height) that the file states, or None.
        repairs: what was changed, one sentence each; empty for a sound file.
        format: name of the reader, a key of `READERS`.
    """

    events: Events
    sensor_size: tuple[int, int] | None
    repairs: tuple[str, ...]
    format: str


@dataclass(frozen=True)
class EventStream:
    """A recording packet by packet, in memory that does not grow with the file.

    Attributes:
        sensor_size: (width, height) that the file states, or None.
        packets: arrays of `EVENT_DTYPE` in order of time; errors arise while they are drawn.
        format: name of the reader, a key of `READERS`.
    """

    sensor_size: tuple[int, int] | None
    packets: Iterator[Events]
    format: str
    _checks: Checks

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was changed in the packets that have been drawn."""
        return self._checks.repairs()


def read_events(path: str | Path) -> EventFile:
    """Read a recording whole.

    Raises:
        FileError: missing, foreign, truncated or damaged; says the byte offset.
    """
    name, size, checks, packets = _open(Path(path))
    parts = list(packets)
    events = np.concatenate(parts) if parts else np.zeros(0, EVENT_DTYPE)
    return EventFile(checks.sorted_whole(events), size, checks.repairs(), name)


def stream_events(path: str | Path) -> EventStream:
    """Read a recording packet by packet.

    Events out of order are sorted within a packet; where a packet begins before the last one ended,
    drawing it raises FileError, since sorting would need the whole file.

    Raises:
        FileError: missing, foreign, truncated or damaged; says the byte offset.
    """
    name, size, checks, packets = _open(Path(path))
    return EventStream(size, checks.ordered(packets), name, checks)


def _open(path: Path) -> tuple[str, tuple[int, int] | None, Checks, Iterator[Events]]:
    name = detect(path)
    try:
        raw = READERS[name].open(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    checks = Checks(str(path), raw.sensor_size, raw.notes)

    def packets() -> Iterator[Events]:
        try:
            for packet in raw.packets:
                yield checks.packet(packet)
        except OSError as error:
            raise _unreadable(path, error) from error

    return name, raw.sensor_size, checks, packets()


def _unreadable(path: Path, error: OSError) -> FileError:
    return FileError(
        f"this recording cannot be read: {error.strerror or error}.",
        where=str(path),
        fix="Check the disk and your right to read it.",
    )
