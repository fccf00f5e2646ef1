"""Where events come from: a camera, or a recording read as a camera would deliver it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from spikeport.core.errors import UsageError
from spikeport.train.data.readers import EventStream, stream_events
from spikeport.train.data.readers.checks import Checks
from spikeport.train.data.recordings import Events


class EventSource(Protocol):
    """Anything with this one method.

    An attribute `sensor_size`, (width, height), is used where there is one.
    """

    def packets(self) -> Iterator[NDArray[Any]]:
        """Structured arrays with the fields x, y (pixels), t (us) and p (1 or true for ON).

        In order of time, of whole numbers of any width. An array may be empty. The iterator may
        wait for more events; when it ends, the stream ends.
        """
        ...


class FileSource:
    """A recording, packet by packet: memory does not grow with the file.

    Args:
        path: of any format that `read_events` reads.

    Raises:
        FileError: missing, foreign, truncated or damaged; says the byte offset.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._stream: EventStream = stream_events(self.path)

    @property
    def format(self) -> str:
        """Name of the reader."""
        return self._stream.format

    @property
    def sensor_size(self) -> tuple[int, int] | None:
        """(width, height) that the file states, or None."""
        return self._stream.sensor_size

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was changed in the events so far, one sentence each."""
        return self._stream.repairs

    def packets(self) -> Iterator[Events]:
        """From the beginning; FileError where it is bad, or goes back in time."""
        self._stream = stream_events(self.path)
        return self._stream.packets


class CheckedSource:
    """The packets of a source, each event within the sensor and in order of time.

    Args:
        sensor_size: (width, height) that events must lie in; any if None.
    """

    def __init__(self, source: EventSource, sensor_size: tuple[int, int] | None = None) -> None:
        self._source, self.sensor_size = source, sensor_size
        self._where = str(getattr(source, "path", type(source).__name__))
        self._checks = Checks(self._where, sensor_size)

    @property
    def repairs(self) -> tuple[str, ...]:
        """What was changed in the events so far, by the source or here, one sentence each."""
        return (*getattr(self._source, "repairs", ()), *self._checks.repairs())

    def packets(self) -> Iterator[Events]:
        """From the beginning.

        Raises:
            UsageError: the source yields no such arrays.
            FileError: events cannot be what they claim, or time goes back.
        """
        source, where = self._source, self._where
        if isinstance(source, FileSource) and self.sensor_size == source.sensor_size:
            yield from source.packets()
            return
        self._checks = checks = Checks(where, self.sensor_size)
        yield from checks.ordered(checks.packet(_named(each, where)) for each in source.packets())


def _named(packet: Any, where: str) -> Any:
    names = getattr(getattr(packet, "dtype", None), "names", None) or ()
    if missing := [name for name in "xytp" if name not in names]:
        raise UsageError(
            f"it yields a {type(packet).__name__} without the field {missing[0]}.",
            where=where,
            fix="Yield structured arrays with the fields x, y, t (us) and p.",
        )
    return packet
