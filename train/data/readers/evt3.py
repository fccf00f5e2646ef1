"""EVT 3: 16-bit words that change a state (row, time) or make events of it.

From the format's public description by Prophesee (docs.prophesee.ai, "EVT 3.0 Format"). No library
is used: expelliarmus 1.1.12 adds 4096 us at random places, faery 0.7.1 ignores the upper half of
the time where it jumps from near zero to near its end, as in a file cut out of a recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.train.data.readers.registry import Packet
from spikeport.train.data.readers.words import read_words

_Y, _X, _BASE, _VECTOR_12, _VECTOR_8, _LOW, _HIGH = 0x0, 0x2, 0x3, 0x4, 0x5, 0x6, 0x8
# The upper half has 12 bits; a step back by more than half of that is the counter starting over.
_HALF = 1 << 11
Ints = NDArray[np.int64]


class _State:
    """What words set and later words, in other blocks too, go on with."""

    def __init__(self) -> None:
        self.y = self.time = self.base = self.on = self.epoch = 0
        self.high: int | None = None
        self.timeless = 0


def decode_evt3(path: Path, start: int, notes: list[str]) -> Iterator[Packet]:
    """Events of the words behind a header; those before the first time have none and are noted."""
    state = _State()
    for words in read_words(path, start, "<u2"):
        yield _decode(words.astype(np.int64), state)
    if state.timeless:
        notes.append(f"{state.timeless:,} events before the first time stamp were left out")


def _decode(words: Ints, state: _State) -> Packet:
    kind, value = words >> 12, words & 0xFFF
    before_time = state.high is None
    y = _held(kind == _Y, value & 0x7FF, state.y)
    time = _times(kind, value, state)
    is_base = kind == _BASE
    on = _held(is_base, value >> 11, state.on)
    # A vector starts where the last one ended.
    steps = np.cumsum(12 * (kind == _VECTOR_12) + 8 * (kind == _VECTOR_8))
    base = _held(is_base, (value & 0x7FF) - steps, state.base) + steps
    places, x, p = [], [], []
    single = np.flatnonzero(kind == _X)
    places.append(single)
    x.append(value[single] & 0x7FF)
    p.append(value[single] >> 11)
    for code, width in ((_VECTOR_12, 12), (_VECTOR_8, 8)):
        vectors = np.flatnonzero(kind == code)
        row, bit = np.nonzero((value[vectors, None] >> np.arange(width)) & 1)
        places.append(vectors[row])
        # `base` already counts the vector itself.
        x.append(base[vectors[row]] - width + bit)
        p.append(on[vectors[row]])
    place = np.concatenate(places)
    order = np.argsort(place, kind="stable")
    if before_time:
        highs = np.flatnonzero(kind == _HIGH)
        first = highs[0] if len(highs) else len(words)
        timed = order[place[order] > first]
        state.timeless += len(order) - len(timed)
        order = timed
    place = place[order]
    state.y, state.base, state.on = int(y[-1]), int(base[-1]), int(on[-1])
    return {
        "x": np.concatenate(x)[order],
        "y": y[place],
        "t": time[place],
        "p": np.concatenate(p)[order],
    }


def _times(kind: Ints, value: Ints, state: _State) -> Ints:
    """Time after each word, in us."""
    highs = np.flatnonzero(kind == _HIGH)
    upper = value[highs]
    first = upper[:1] if state.high is None else np.array([state.high])
    before = np.concatenate([first, upper[:-1]]) if len(upper) else upper
    epoch = state.epoch + np.cumsum(before - upper > _HALF)
    if len(highs):
        state.high, state.epoch = int(upper[-1]), int(epoch[-1])
    # A new upper half sets the lower one to zero.
    base = _held_at(highs, (epoch << 24) | (upper << 12), len(kind), state.time & ~0xFFF)
    lower_set = (kind == _HIGH) | (kind == _LOW)
    low = _held(lower_set, np.where(kind == _LOW, value, 0), state.time & 0xFFF)
    time: Ints = base + low
    state.time = int(time[-1])
    return time


def _held(where: NDArray[Any], values: Ints, before: int) -> Ints:
    """At each place the value of the last one in `where`."""
    places = np.flatnonzero(where)
    return _held_at(places, values[places], len(values), before)


def _held_at(places: NDArray[np.intp], values: Ints, length: int, before: int) -> Ints:
    last = np.zeros(length, np.int64)
    last[places] = 1
    return np.concatenate([[before], values])[np.cumsum(last)]
