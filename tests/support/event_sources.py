"""Sources of events that are no files, and long recordings on disk."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from spikeport.train.data.recordings import EVENT_DTYPE, Events


class Packets:
    """A camera in memory."""

    def __init__(self, parts: Sequence[Events], sensor_size: tuple[int, int] | None = None) -> None:
        self.parts = parts
        if sensor_size is not None:
            self.sensor_size = sensor_size

    def packets(self) -> Iterator[Events]:
        yield from self.parts


def steady(count: int, *, every_us: int = 1000, side: int = 8, first: int = 0) -> Events:
    """An event each so many us, at random places."""
    rng = np.random.default_rng(first)
    events = np.empty(count, EVENT_DTYPE)
    events["x"], events["y"] = rng.integers(0, side, (2, count))
    events["t"] = first + every_us * np.arange(count)
    events["p"] = rng.integers(0, 2, count)
    return events


def write_long_evt3(path: Path, count: int, side: int = 8, block: int = 1 << 16) -> None:
    """So many events, 10 us apart, written block by block."""
    with path.open("wb") as file:
        file.write(f"% evt 3.0\n% geometry {side}x{side}\n% end\n".encode())
        for start in range(0, count, block):
            number = np.arange(start, min(count, start + block))
            t, x, y = 10 * number, number % side, number // side % side
            words = np.empty((len(number), 4), "<u2")
            words[:, 0] = 0x8000 | (t >> 12 & 0xFFF)
            words[:, 1] = 0x6000 | (t & 0xFFF)
            words[:, 2] = y
            words[:, 3] = 0x2000 | (number // 3 & 1) << 11 | x
            words.tofile(file)


def write_long_npz(path: Path, count: int, side: int = 8, block: int = 1 << 16) -> None:
    """The same as arrays in an archive."""
    columns = {
        "x": (np.dtype("<i2"), lambda n: n % side),
        "y": (np.dtype("<i2"), lambda n: n // side % side),
        "t": (np.dtype("<i8"), lambda n: 10 * n),
        "p": (np.dtype("?"), lambda n: n // 3 & 1),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (dtype, values) in columns.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": dtype.str, "fortran_order": False, "shape": (count,)}
                np.lib.format.write_array_header_1_0(file, header)
                for start in range(0, count, block):
                    number = np.arange(start, min(count, start + block))
                    file.write(values(number).astype(dtype).tobytes())
