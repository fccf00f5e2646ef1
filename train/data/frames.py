"""Events to frames, without losing one.

Tonic 1.7.0 loses events here: `ToFrame(n_time_bins=...)` always the last one of a recording (its
last bin is open on the right), `ToFrame(n_event_bins=...)` up to n - 1 (it divides with rest).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.data.recordings import Events, Recordings

Framing = Literal["count", "time"]
SensorSize = tuple[int, int, int]
Counts = NDArray[np.unsignedinteger[Any]]

# Recordings binned at once: bounds the 8-byte counters of numpy.bincount to some 30 MB.
_CHUNK = 256

MOST_COUNTERS = 1 << 29
"""Of a recording: 4 GiB while its events are counted."""


def to_frames(events: Events, sensor_size: SensorSize, steps: int, framing: Framing) -> Counts:
    """Count the events of one recording.

    Args:
        events: structured array with the fields x, y, t, p, in order of time.
        sensor_size: width, height and number of polarities (2), as in Tonic.
        steps: number of frames T.
        framing: "count" gives every frame the same number of events (to within one), "time" the
            same share of the time between the first and the last event.

    Returns:
        `[T, 2, H, W]` event counts, channel 0 OFF and 1 ON; every event is in exactly one frame.

    Raises:
        UsageError: steps below 1, frames that take too much memory, an unknown framing, or an event
            outside the sensor.
    """
    offsets = np.array([0, len(events)])
    fields = {name: events[name] for name in "xytp"}
    counts: Counts = _count(fields, offsets, sensor_size, steps, framing)[0]
    return counts


def all_frames(
    recordings: Recordings, sensor_size: SensorSize, steps: int, framing: Framing
) -> Counts:
    """`to_frames` for every recording: `[N, T, 2, H, W]`."""
    chunks = []
    for start in range(0, len(recordings), _CHUNK):
        offsets = recordings.offsets[start : start + _CHUNK + 1]
        span = slice(offsets[0], offsets[-1])
        fields = {name: getattr(recordings, name)[span] for name in "xytp"}
        chunks.append(_count(fields, offsets - offsets[0], sensor_size, steps, framing))
    if not chunks:
        width, height, polarities = sensor_size
        return np.zeros((0, steps, polarities, height, width), np.uint8)
    return np.concatenate(chunks)


def require_room(sensor_size: SensorSize, steps: int) -> None:
    """Refuse frames that cannot be, before memory is taken for them.

    Raises:
        UsageError: steps below 1, or more than `MOST_COUNTERS`.
    """
    if steps < 1:
        raise UsageError(f"the number of frames is {steps}.", where="steps", fix="Give at least 1.")
    counters = math.prod(map(int, sensor_size)) * steps
    if counters > MOST_COUNTERS:
        width, height, _ = sensor_size
        raise UsageError(
            f"{steps} frames of {width} x {height} pixels take {8 * counters / 2**30:,.0f} GiB to "
            f"count, more than the {8 * MOST_COUNTERS / 2**30:.0f} GiB that are allowed.",
            where="sensor_size",
            fix="State the size of the sensor that recorded the events, or use fewer steps.",
        )


def _count(
    fields: Mapping[str, NDArray[Any]],
    offsets: NDArray[Any],
    sensor_size: SensorSize,
    steps: int,
    framing: str,
) -> Counts:
    require_room(sensor_size, steps)
    if framing not in get_args(Framing):
        raise UnknownNameError("framing", framing, get_args(Framing))
    width, height, polarities = sensor_size
    x, y = fields["x"], fields["y"]
    if len(x) and (min(x.min(), y.min()) < 0 or x.max() >= width or y.max() >= height):
        raise UsageError(
            f"an event lies outside the sensor of {width} x {height} pixels.",
            where="events",
            fix="Give the size of the sensor that recorded them.",
        )
    lengths = np.diff(offsets)
    recording = np.repeat(np.arange(len(lengths)), lengths)
    share = _shares_of_count if framing == "count" else _shares_of_time
    step = share(fields["t"].astype(np.int64), offsets[:-1], lengths, recording, steps)
    index = ((recording * steps + step) * polarities + fields["p"].astype(np.int64)) * height + y
    shape = (len(lengths), steps, polarities, height, width)
    counts = np.bincount(index * width + x, minlength=int(np.prod(shape)))
    # Nearly always uint8; int16, as in Tonic, would silently overflow on long recordings.
    return counts.astype(np.promote_types(np.uint8, np.min_scalar_type(counts.max()))).reshape(
        shape
    )


def _shares_of_count(
    t: NDArray[np.int64],
    starts: NDArray[Any],
    lengths: NDArray[Any],
    recording: NDArray[Any],
    steps: int,
) -> NDArray[np.int64]:
    rank = np.arange(len(t)) - starts[recording]
    share: NDArray[np.int64] = rank * steps // lengths[recording]
    return share


def _shares_of_time(
    t: NDArray[np.int64],
    starts: NDArray[Any],
    lengths: NDArray[Any],
    recording: NDArray[Any],
    steps: int,
) -> NDArray[np.int64]:
    filled = lengths > 0
    first, last = np.zeros(len(lengths), np.int64), np.zeros(len(lengths), np.int64)
    first[filled] = t[starts[filled]]
    last[filled] = t[starts[filled] + lengths[filled] - 1]
    # One microsecond more than the distance, so that the last event falls inside the last frame.
    spans = [int(end) - int(start) + 1 for start, end in zip(first, last, strict=True)]
    # Products of damaged time stamps leave 64 bits; of Python's integers they do not.
    whole = np.dtype(np.int64 if max(spans) * steps < 1 << 63 else object)
    passed = t.astype(whole, copy=False) - first.astype(whole)[recording]
    share: NDArray[np.int64] = (passed * steps // np.array(spans, whole)[recording]).astype(
        np.int64
    )
    return share
