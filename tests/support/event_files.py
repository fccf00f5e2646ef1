"""Event files of every format, encoded here from the formats' specifications or by libraries."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import faery
import h5py
import numpy as np

from spikeport.train.data.recordings import EVENT_DTYPE, Events

SENSOR = (128, 128)


def random_events(count: int = 200, seed: int = 0, side: int = 128) -> Events:
    rng = np.random.default_rng(seed)
    events = np.empty(count, EVENT_DTYPE)
    events["x"], events["y"] = rng.integers(0, side, (2, count))
    events["t"] = np.sort(rng.integers(0, 200_000, count))
    events["p"] = rng.integers(0, 2, count)
    return events


def _with_faery(version: str | None = None) -> Callable[[Path, Events], None]:
    def write(path: Path, events: Events) -> None:
        given = np.zeros(len(events), faery.EVENTS_DTYPE)
        for ours, theirs in (("x", "x"), ("y", "y"), ("t", "t"), ("p", "on")):
            given[theirs] = events[ours]
        stream = faery.events_stream_from_array(given, SENSOR)
        stream.to_file(path, version=version, zero_t0=False)  # type: ignore[arg-type]

    return write


def _aedat2(path: Path, events: Events) -> None:
    x, y, p = (events[name].astype(">u4") for name in "xyp")
    words = np.empty((len(events), 2), ">u4")
    words[:, 0] = (127 - y) << 8 | (127 - x) << 1 | (1 - p)
    words[:, 1] = events["t"]
    path.write_bytes(b"#!AER-DAT2.0\r\n# a DVS128\r\n" + words.tobytes())


def _aedat3(path: Path, events: Events) -> None:
    x, y, p = (events[name].astype("<u4") for name in "xyp")
    words = np.empty((len(events), 2), "<u4")
    words[:, 0], words[:, 1] = x << 17 | y << 2 | p << 1 | 1, events["t"]
    parts = [b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n"]
    for start in range(0, len(events), 64):
        block = words[start : start + 64]
        # Two places more than events: the capacity of a packet may be larger than what it holds.
        size = len(block) + 2
        header = struct.pack("<hhiiiiii", 1, 1, 8, 4, 0, size, len(block), len(block))
        parts += [header, block.tobytes(), b"\xff" * 16]
        parts += [struct.pack("<hhiiiiii", 0, 1, 4, 0, 0, 1, 1, 1), b"abcd"]
    path.write_bytes(b"".join(parts))


def _nmnist(path: Path, events: Events) -> None:
    parts = bytearray()
    wraps = 0
    for x, y, t, p in events.tolist():
        while t - (wraps << 13) >= 1 << 14:
            wraps += 1
            parts += bytes([0, 240, 0, 0, 0])
        rest = t - (wraps << 13) | p << 23
        parts += bytes([x, y]) + rest.to_bytes(3, "big")
    path.write_bytes(bytes(parts))


def _npz(path: Path, events: Events) -> None:
    columns = {name: events[name] for name in "xytp"}
    np.savez_compressed(path, sensor_size=np.array(SENSOR), **columns)


def _npy(path: Path, events: Events) -> None:
    np.save(path, events)


def _hdf5(path: Path, events: Events) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("events")
        for name in "xytp":
            group.create_dataset(name, data=events[name], compression="gzip", chunks=(32,))
        group.attrs["width"], group.attrs["height"] = SENSOR


def _csv(path: Path, events: Events) -> None:
    rows = [f"{t},{x},{y},{int(p)}" for x, y, t, p in events.tolist()]
    path.write_text("\n".join(["timestamp,x,y,polarity", *rows]) + "\n")


WRITERS: dict[str, tuple[str, Callable[[Path, Events], None]]] = {
    "aedat4": (".aedat4", _with_faery()),
    "evt2": (".raw", _with_faery("evt2")),
    "evt3": (".raw", _with_faery("evt3")),
    "dat": (".dat", _with_faery()),
    "es": (".es", _with_faery()),
    "aedat2": (".aedat", _aedat2),
    "aedat3": (".aedat", _aedat3),
    "nmnist": (".bin", _nmnist),
    "npz": (".npz", _npz),
    "npy": (".npy", _npy),
    "hdf5": (".h5", _hdf5),
    "csv": (".csv", _csv),
}


def write_as(name: str, folder: Path, events: Events, stem: str = "events") -> Path:
    """Write `events` in a format; returns the file."""
    suffix, write = WRITERS[name]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stem}{suffix}"
    write(path, events)
    return path
