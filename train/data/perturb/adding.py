"""Room for events that are added to a recording."""

from __future__ import annotations

import numpy as np

from spikeport.core.errors import UsageError
from spikeport.train.data.recordings import EVENT_DTYPE, Events

_MICROSECONDS = 1e6
MOST = 1 << 26
"""Events that may be added to one recording: 0.9 GB of them."""


def duration(events: Events) -> float:
    """Seconds from the first to the last event, both included."""
    first, last = int(events["t"][0]), int(events["t"][-1])
    return (last - first + 1) / _MICROSECONDS


def check_room(name: str, expected: float) -> None:
    """Refuse a level at which events would fill the memory.

    Raises:
        UsageError: more than `MOST` are expected.
    """
    if expected > MOST:
        raise UsageError(
            f"some {expected:,.0f} events would be added to one recording.",
            where=name,
            fix=f"Give a lower level or rate; up to {MOST:,} events are possible.",
        )


def blank(events: Events, count: int, rng: np.random.Generator) -> Events:
    """So many events at random times within the recording, without place and polarity."""
    first, last = int(events["t"][0]), int(events["t"][-1])
    added = np.zeros(count, EVENT_DTYPE)
    added["t"] = rng.integers(first, last + 1, size=count)
    return added
