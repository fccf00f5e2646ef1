"""What every event must satisfy, whatever file it comes from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError
from spikeport.train.data.readers.registry import Packet
from spikeport.train.data.recordings import EVENT_DTYPE, MOST_PIXELS, Events

_LARGEST_PIXEL = np.iinfo(np.int16).max
# 146,000 years; what lies beyond is damage, and differences stay within 64 bits.
_LARGEST_TIME = 1 << 62


class Checks:
    """Checks the packets of one file and counts what it repairs."""

    def __init__(
        self, where: str, sensor_size: tuple[int, int] | None, notes: list[str] | None = None
    ) -> None:
        self._where, self._sensor = where, sensor_size
        self._notes = [] if notes is None else notes
        self._seen = self._late = self._signed = 0
        if sensor_size is not None and not (
            min(sensor_size) >= 1 and math.prod(sensor_size) <= MOST_PIXELS
        ):
            raise FileError(
                f"it states a sensor of {sensor_size[0]} x {sensor_size[1]} pixels.",
                where=where,
                fix="The header is damaged; copy or convert the file again.",
            )

    def packet(self, packet: Packet) -> Events:
        """One packet as `EVENT_DTYPE`, in the order of the file.

        Raises:
            FileError: an event outside the sensor, a polarity or a time that cannot be.
        """
        columns = {name: self._whole(np.asarray(packet[name]), name) for name in "xytp"}
        if len({len(column) for column in columns.values()}) != 1:
            raise self._bad("x, y, t and p are not equally long")
        width, height = self._sensor or (_LARGEST_PIXEL + 1, _LARGEST_PIXEL + 1)
        self._within(columns["x"], "x", min(width, _LARGEST_PIXEL + 1))
        self._within(columns["y"], "y", min(height, _LARGEST_PIXEL + 1))
        self._within(columns["t"], "t", _LARGEST_TIME, -_LARGEST_TIME)
        events = np.empty(len(columns["t"]), EVENT_DTYPE)
        events["x"], events["y"], events["t"] = columns["x"], columns["y"], columns["t"]
        events["p"] = self._polarity(columns["p"])
        self._seen += len(events)
        return events

    def sorted_whole(self, events: Events) -> Events:
        """All events in order of time; those of one time keep the order of the file."""
        late = _out_of_order(events["t"])
        if not late:
            return events
        self._late += late
        return events[np.argsort(events["t"], kind="stable")]

    def ordered(self, packets: Iterator[Events]) -> Iterator[Events]:
        """Each packet in order of time, and after the last one."""
        last = None
        for packet in packets:
            events = self.sorted_whole(packet)
            if not len(events):
                continue
            if last is not None and events["t"][0] < last:
                raise FileError(
                    f"time goes back from {last} to {events['t'][0]} us, near event "
                    f"{self._seen - len(events):,}.",
                    where=self._where,
                    fix="Read it whole with read_events, which sorts.",
                )
            last = events["t"][-1]
            yield events

    def repairs(self) -> tuple[str, ...]:
        told = list(self._notes)
        if self._late:
            told.append(f"{self._late:,} events out of order were sorted by time")
        if self._signed:
            told.append(f"{self._signed:,} polarities of -1 were read as OFF")
        return tuple(told)

    def _whole(self, column: NDArray[Any], name: str) -> NDArray[Any]:
        if column.ndim != 1:
            raise self._bad(f"{name} has the shape {list(column.shape)}, not one axis")
        if column.dtype.kind in "iub":
            return column
        if column.dtype.kind == "f" and np.isfinite(column).all():
            if not (column == np.round(column)).all():
                raise self._bad(f"{name} has values that are not whole (are times in seconds?)")
            # Beyond this, conversion to 64 bits would wrap.
            if not len(column) or np.abs(column).max() <= _LARGEST_TIME:
                return column.astype(np.int64)
        raise self._bad(f"{name} ({column.dtype}) is not made of whole numbers")

    def _within(self, column: NDArray[Any], name: str, end: int, start: int = 0) -> None:
        if not len(column):
            return
        # Python's integers: unsigned columns must not wrap in the comparison.
        low, high = int(column.min()), int(column.max())
        if low < start or high >= end:
            wrong = low if low < start else high
            index = int(np.flatnonzero(column == wrong)[0]) + self._seen
            limit = f"sensor of {end} there" if name in "xy" else "range of time stamps"
            raise self._bad(f"event {index:,} has {name} = {wrong}, outside the {limit}")

    def _polarity(self, column: NDArray[Any]) -> NDArray[np.bool_]:
        on, negative = column == 1, column == -1
        if not (on | negative | (column == 0)).all():
            index = int(np.flatnonzero(~(on | negative | (column == 0)))[0])
            raise self._bad(
                f"event {index + self._seen:,} has the polarity {column[index]}, not 0 or 1, nor "
                "-1 or 1"
            )
        if negative.any():
            if (column == 0).any():
                raise self._bad("polarities of -1, 0 and 1 are mixed")
            self._signed += int(negative.sum())
        return np.asarray(on, np.bool_)

    def _bad(self, why: str) -> FileError:
        return FileError(
            f"{why}.",
            where=self._where,
            fix="The file is damaged, or was written with other fields; convert it again.",
        )


def _out_of_order(t: NDArray[np.int64]) -> int:
    """Events that come after a later one."""
    return int((t < np.maximum.accumulate(t)).sum()) if len(t) else 0
