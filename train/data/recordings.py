"""Many event recordings in four flat arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# Field by field what tonic.io.events_struct is: x and y in pixels, t in us, p true for ON.
EVENT_DTYPE = np.dtype([("x", np.int16), ("y", np.int16), ("t", np.int64), ("p", np.bool_)])

MOST_PIXELS = 1 << 24
"""Of a sensor; event cameras have a tenth of it. What states more is damaged."""

Events = NDArray[np.void]


class RawEvents(Protocol):
    """Recordings by index, read when asked for; can be pickled."""

    @property
    def sensor_size(self) -> tuple[int, int, int]:
        """Width, height and number of polarities (2)."""
        ...

    def __getitem__(self, index: int) -> Events:
        """One recording, in order of time."""
        ...


@dataclass(frozen=True)
class Recordings:
    """Recording i is the slice `offsets[i]:offsets[i + 1]` of each array, in order of time.

    Attributes:
        x, y: pixel, uint8; uint16 of sensors of more than 256 pixels along a side.
        t: microseconds since the start of the recording, int32.
        p: true for ON events.
        offsets: `[len + 1]`, int64.
    """

    x: NDArray[np.uint8 | np.uint16]
    y: NDArray[np.uint8 | np.uint16]
    t: NDArray[np.int32]
    p: NDArray[np.bool_]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Events:
        """Recording `index` as Tonic's structured array."""
        span = slice(self.offsets[index], self.offsets[index + 1])
        events = np.empty(span.stop - span.start, dtype=EVENT_DTYPE)
        for name in ("x", "y", "t", "p"):
            events[name] = getattr(self, name)[span]
        return events

    @staticmethod
    def concatenate(parts: Sequence[Recordings]) -> Recordings:
        """Put several sets of recordings behind one another."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        fields = {name: np.concatenate([getattr(part, name) for part in parts]) for name in "xytp"}
        return Recordings(**fields, offsets=offsets_of(lengths))

    def subset(self, indices: NDArray[np.intp]) -> Recordings:
        """Recordings `indices`, which must ascend."""
        lengths = np.diff(self.offsets)
        keep = np.repeat(np.isin(np.arange(len(self)), indices), lengths)
        fields = {name: getattr(self, name)[keep] for name in "xytp"}
        return Recordings(**fields, offsets=offsets_of(lengths[indices]))


def offsets_of(lengths: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Where recordings of these lengths begin, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
