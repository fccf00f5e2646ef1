"""N-MNIST and N-Caltech101 `.bin`: five bytes per event, no header."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikeport.train.data.readers.registry import Packet, RawStream, reader
from spikeport.train.data.readers.words import check_words, read_words

_EVENT = np.dtype([("x", "u1"), ("y", "u1"), ("rest", "u1", 3)])
# A word with this y is no event: the clock passed 2^13 us.
_OVERFLOW_Y, _OVERFLOW_US = 240, 1 << 13


@reader("nmnist", "N-MNIST and N-Caltech101 (.bin)", suffixes=(".bin",))
def open_nmnist(path: Path) -> RawStream:
    check_words(path, 0, _EVENT.itemsize)
    return RawStream(None, _packets(path))


def _packets(path: Path) -> Iterator[Packet]:
    passed = 0
    for words in read_words(path, 0, _EVENT):
        rest = words["rest"].astype(np.int64)
        marks = words["y"] == _OVERFLOW_Y
        t = ((rest[:, 0] & 0x7F) << 16) | (rest[:, 1] << 8) | rest[:, 2]
        t += (passed + np.cumsum(marks)) * _OVERFLOW_US
        passed += int(marks.sum())
        kept = ~marks
        yield {
            "x": words["x"][kept],
            "y": words["y"][kept],
            "t": t[kept],
            "p": rest[kept, 0] >> 7,
        }
