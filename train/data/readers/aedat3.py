"""AEDAT 3.1 (cAER): packets with a header of 28 bytes; polarity packets are read.

The bit fields are those that Tonic 1.7.0's `read_dvs_ibm` names; it cannot run on these files and
would count invalid events. No file of a camera was at hand to compare with.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikeport.train.data.readers.registry import Packet, RawStream, reader
from spikeport.train.data.readers.words import comment_lines, truncated

_HEADER = struct.Struct("<hhiiiiii")
_POLARITY = 1
_EVENT = np.dtype([("data", "<u4"), ("t", "<u4")])
_SENSORS = {
    "DVS128": (128, 128),
    "DAVIS128": (128, 128),
    "DAVIS208": (208, 192),
    "DAVIS240": (240, 180),
    "DAVIS346": (346, 260),
    "DAVIS640": (640, 480),
}


@reader("aedat3", "AEDAT 3.1 (cAER), as DVS128 Gesture is offered", magic=(b"#!AER-DAT3",))
def open_aedat3(path: Path) -> RawStream:
    lines, start = comment_lines(path, b"#")
    if not lines[0].startswith("!AER-DAT3.1"):
        raise truncated(path, 0, f"AEDAT 3.1 is read, not {lines[0][:40]!r}")
    found = re.search("|".join(_SENSORS), " ".join(lines).upper())
    return RawStream(_SENSORS[found[0]] if found else None, _packets(path, start))


def _packets(path: Path, place: int) -> Iterator[Packet]:
    end = path.stat().st_size
    with path.open("rb") as file:
        while place < end:
            file.seek(place)
            head = file.read(_HEADER.size)
            if len(head) < _HEADER.size:
                raise truncated(path, place, "a packet ends within its header")
            kind, _, size, stamp, overflow, capacity, number, _ = _HEADER.unpack(head)
            length = size * capacity
            if min(size, capacity, overflow) < 0 or not 0 <= number <= capacity:
                raise truncated(path, place, "the header of a packet is damaged")
            if place + _HEADER.size + length > end:
                there = end - place - _HEADER.size
                raise truncated(
                    path, place, f"a packet should have {length} bytes, {there} are there"
                )
            if kind == _POLARITY:
                if size != _EVENT.itemsize or stamp != 4:
                    raise truncated(path, place, f"polarity events should have 8 bytes, not {size}")
                yield _events(np.fromfile(file, _EVENT, number), overflow)
            place += _HEADER.size + length


def _events(words: np.ndarray, overflow: int) -> Packet:
    data = words["data"][words["data"] & 1 == 1]
    # The time stamp is signed, 31 bits count.
    t = words["t"][words["data"] & 1 == 1].astype(np.int64) + (overflow << 31)
    return {"x": data >> 17, "y": (data >> 2) & 0x7FFF, "t": t, "p": (data >> 1) & 1}
