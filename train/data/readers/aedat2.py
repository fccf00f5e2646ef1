"""AEDAT 2 (jAER): big-endian address and time stamp. The layout of the DVS128 is read.

Tonic 1.7.0 cannot read these files (its `read_dvs_128` unpacks two of the three values of its own
header reader), and takes ON for OFF.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from spikeport.core.errors import FileError
from spikeport.train.data.readers.registry import Packet, RawStream, reader
from spikeport.train.data.readers.words import check_words, comment_lines, read_words

_EVENT = np.dtype([("address", ">u4"), ("t", ">u4")])
_SIDE = 128
# Bit 15 marks an external (sync) event; bits above are not used by this camera.
_EXTERNAL, _FOREIGN = 0x8000, 0xFFFF0000
_OTHERS = ("DAVIS", "DVS640", "SEEBETTER", "ATIS", "COCHLEA", "DVS1280", "DVS640", "TMPDIFF64")


@reader("aedat2", "AEDAT 2 of the DVS128 (jAER)", magic=(b"#!AER-DAT2", b"#!AER-DAT1"))
def open_aedat2(path: Path) -> RawStream:
    lines, start = comment_lines(path, b"#")
    if lines[0].startswith("!AER-DAT1"):
        raise _other(path, "its version is 1")
    text = " ".join(lines).upper()
    camera = next((name for name in _OTHERS if name in text), None)
    if camera is not None:
        raise _other(path, f"its header names another camera ({camera})")
    check_words(path, start, _EVENT.itemsize)
    return RawStream((_SIDE, _SIDE), _packets(path, start))


def _packets(path: Path, start: int) -> Iterator[Packet]:
    wraps, last, place = 0, 0, start
    for words in read_words(path, start, _EVENT):
        address, stamp = words["address"].astype(np.int64), words["t"].astype(np.int64)
        if (foreign := np.flatnonzero(address & _FOREIGN)).size:
            at = place + int(foreign[0]) * _EVENT.itemsize
            raise _other(path, f"address {address[foreign[0]]:#x} is none of a DVS128", at)
        # Times are 32 bits wide: 71 minutes.
        step = np.diff(stamp, prepend=last)
        epoch = wraps + np.cumsum(step < -(1 << 31))
        place += len(words) * _EVENT.itemsize
        wraps, last = int(epoch[-1]), int(stamp[-1])
        kept = address & _EXTERNAL == 0
        address, t = address[kept], (stamp + (epoch << 32))[kept]
        # As in jAER: columns are counted from the right, and bit 0 is set for OFF.
        yield {
            "x": _SIDE - 1 - ((address >> 1) & 0x7F),
            "y": _SIDE - 1 - ((address >> 8) & 0x7F),
            "t": t,
            "p": 1 - (address & 1),
        }


def _other(path: Path, why: str, offset: int = 0) -> FileError:
    return FileError(
        f"only the DVS128 layout of AEDAT 2 is read, and {why}.",
        where=f"{path}, byte {offset}",
        fix="Convert it to AEDAT 4 with the software of the camera (jAER or DV).",
    )
