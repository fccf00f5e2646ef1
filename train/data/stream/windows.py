"""Packets cut into windows of one duration, or of one number of events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from spikeport.core.errors import FileError, UsageError
from spikeport.train.data.recordings import EVENT_DTYPE, Events

_UNITS = {"us": 1, "ms": 1_000, "s": 1_000_000}
MOST_EMPTY = 100_000
"""Windows without an event in a row; more are a jump in time, not a quiet scene."""
_NONE = np.zeros(0, EVENT_DTYPE)


@dataclass(frozen=True)
class ByTime:
    """Windows of so many microseconds, side by side from the first event on.

    An event at the border belongs to the later one. Windows without events are windows too.
    """

    us: int

    def __str__(self) -> str:
        return next(
            f"{self.us // size} {unit}"
            for unit, size in reversed(_UNITS.items())
            if self.us % size == 0
        )


@dataclass(frozen=True)
class ByCount:
    """Windows of so many events, however long they take."""

    events: int

    def __str__(self) -> str:
        return f"{self.events:,} events"


@dataclass(frozen=True)
class Slice:
    """Events of one window, all of them or a part.

    Attributes:
        events: `EVENT_DTYPE`, perhaps none.
        start, end: of the window, in us: `[start, end)` by time; by number of events the times of
            its first and last one (up to now, where it is not the last slice).
        last: whether the window ends here.
        complete: false where the recording or a gap cut the window short.
        after_gap: whether the window is the first one behind a gap.
    """

    events: Events
    start: int
    end: int
    last: bool
    complete: bool = True
    after_gap: bool = False


def parse_duration(text: str, where: str) -> int:
    """`20ms`, `0.5s` or `500us` in microseconds.

    Raises:
        UsageError: it is none, or less than a microsecond.
    """
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*(us|ms|s)\s*", text)
    us = round(float(found[1]) * _UNITS[found[2]]) if found else 0
    if us < 1:
        raise UsageError(
            f"{text!r} is no duration.", where=where, fix="Write it as 20ms, 0.5s or 500us."
        )
    return us


def parse_window(text: str) -> ByTime | ByCount:
    """`20ms` or `500events`.

    Raises:
        UsageError: it is neither.
    """
    if found := re.fullmatch(r"\s*(\d{1,9})\s*events?\s*", text):
        if int(found[1]) < 1:
            raise UsageError("a window of no events never ends.", where="window", fix="Give more.")
        return ByCount(int(found[1]))
    try:
        return ByTime(parse_duration(text, "window"))
    except UsageError as error:
        raise UsageError(
            f"{text!r} is no window.",
            where="window",
            fix="Write a duration (20ms, 0.5s) or a number of events (500events).",
        ) from error


def cut(
    packets: Iterable[Events], window: ByTime | ByCount, gap_us: int | None = None
) -> Iterator[Slice]:
    """Slices of windows, as the events arrive; a window ends with its last slice.

    Nothing is held back but what the packet itself holds, so that memory is bounded by it. A window
    of a duration ends when an event behind it arrives, or at the end of the recording.

    Args:
        packets: in order of time.
        gap_us: so long without an event ends a window, and the next one begins with the next
            event, without windows in between.

    Raises:
        FileError: `MOST_EMPTY` windows in a row would be empty.
    """
    cutter = _Cutter(window)
    before: int | None = None
    for packet in packets:
        if not len(packet):
            continue
        times = packet["t"]
        borders = []
        if gap_us is not None:
            first = times[0] if before is None else before
            borders = np.flatnonzero(np.diff(times, prepend=first) >= gap_us).tolist()
        for part in np.split(packet, borders):
            if len(part):
                yield from cutter.add(part)
            # Each border is a gap in front of it; behind the last part there is none.
            if borders:
                borders.pop(0)
                yield from cutter.close()
                cutter.after_gap = True
        before = int(times[-1])
    yield from cutter.close()


class _Cutter:
    """The window that is open."""

    def __init__(self, window: ByTime | ByCount) -> None:
        self._window = window
        self._start: int | None = None
        self._end = self._held = 0
        self.after_gap = False

    def add(self, events: Events) -> Iterator[Slice]:
        while len(events):
            if self._start is None:
                self._start = int(events["t"][0])
            count, full = self._room(events)
            taken, events = events[:count], events[count:]
            if isinstance(self._window, ByCount):
                self._held += count
                self._end = int(taken["t"][-1])
            if count or full:
                yield self._slice(taken, full)
            if full:
                self._next()

    def close(self) -> Iterator[Slice]:
        """End the window that is open, if it is."""
        if self._start is not None and (self._held or isinstance(self._window, ByTime)):
            yield self._slice(_NONE, True, complete=False)
        self._start, self._held, self.after_gap = None, 0, False

    def _room(self, events: Events) -> tuple[int, bool]:
        """How many of these events the open window takes, and whether it ends with them."""
        if isinstance(self._window, ByCount):
            count = min(len(events), self._window.events - self._held)
            return count, self._held + count == self._window.events
        assert self._start is not None
        self._end = self._start + self._window.us
        empty = (int(events["t"][0]) - self._end) // self._window.us
        if empty > MOST_EMPTY:
            raise FileError(
                f"no event comes from {self._start} to {int(events['t'][0])} us: {empty:,} empty "
                "windows.",
                where="recording",
                fix="Begin anew after a gap (--state gap:1s), or give longer windows.",
            )
        count = int(np.searchsorted(events["t"], self._end))
        return count, count < len(events)

    def _slice(self, events: Events, last: bool, *, complete: bool = True) -> Slice:
        assert self._start is not None
        return Slice(events, self._start, self._end, last, complete, self.after_gap)

    def _next(self) -> None:
        self._start = self._end if isinstance(self._window, ByTime) else None
        self._held, self.after_gap = 0, False
