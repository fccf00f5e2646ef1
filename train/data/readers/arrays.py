"""`.npy` and `.npz` of numpy: a structured array with x, y, t, p, or arrays of these names."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError
from spikeport.train.data.readers.names import FIELDS, named_columns
from spikeport.train.data.readers.registry import PACKET, Packet, RawStream, reader


@reader("npy", "numpy .npy, a structured array with x, y, t, p", magic=(b"\x93NUMPY",))
def open_npy(path: Path) -> RawStream:
    try:
        # What numpy raises for damage is no short list (its header is parsed as Python literals).
        # Mapped: a header that promises more than the file holds takes no memory; no pickles.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        raise _damaged(path, error) from error
    if array.dtype.names is None:
        raise FileError(
            f"the array {list(array.shape)} has columns without names, which could be x, y, t, p "
            "in any order.",
            where=str(path),
            fix="Save a structured array, or an .npz with arrays x, y, t, p.",
        )
    return RawStream(None, _slices(named_columns(path, array, array.dtype.names)))


@reader("npz", "numpy .npz with arrays x, y, t, p", magic=(b"PK\x03\x04",))
def open_npz(path: Path) -> RawStream:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                _check_member(path, archive, member)
        with np.load(path, allow_pickle=False) as stored:
            size = _sensor_size(path, stored)
            if "events" in stored.files:
                events = stored["events"]
                columns = named_columns(path, events, events.dtype.names or ())
            else:
                columns = named_columns(path, stored, tuple(stored.files))
                columns = {name: np.asarray(columns[name]) for name in FIELDS}
    except FileError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return RawStream(size, _slices(columns))


def _check_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """The array's header must promise what the member holds, before memory is taken for it."""
    # No stream of deflate is smaller than a 1032nd of its content.
    if member.file_size > 1032 * member.compress_size + 4096:
        raise ValueError(f"{member.filename} cannot hold {member.file_size} bytes")
    if member.header_offset + member.compress_size > path.stat().st_size:
        raise ValueError(f"{member.filename} is truncated")
    with archive.open(member) as file:
        layout: Any = np.lib.format
        one = layout.read_magic(file) == (1, 0)
        read = layout.read_array_header_1_0 if one else layout.read_array_header_2_0
        shape, _, dtype = read(file)
        count = 1
        for length in shape:
            count *= length
        if dtype.hasobject or file.tell() + count * dtype.itemsize != member.file_size:
            raise ValueError(f"{member.filename} does not hold {list(shape)} of {dtype}")


def _sensor_size(path: Path, stored: Any) -> tuple[int, int] | None:
    if "sensor_size" not in stored.files:
        return None
    size = stored["sensor_size"]
    if size.shape not in ((2,), (3,)) or size.dtype.kind not in "iu":
        raise ValueError(f"sensor_size is {size.dtype} {list(size.shape)}, not width and height")
    return int(size[0]), int(size[1])


def _slices(columns: dict[str, NDArray[Any]]) -> Iterator[Packet]:
    lengths = {name: len(column) if column.ndim else -1 for name, column in columns.items()}
    if len(set(lengths.values())) != 1 or min(lengths.values()) < 0:
        # Told by the checks, which know the shapes.
        yield columns
        return
    for start in range(0, lengths["t"], PACKET):
        yield {name: column[start : start + PACKET] for name, column in columns.items()}


def _damaged(path: Path, error: Exception) -> FileError:
    return FileError(
        f"numpy cannot read it ({str(error)[:200] or type(error).__name__}).",
        where=f"{path}, byte 0",
        fix="The file is truncated or damaged: copy it again. --skip-bad leaves it out.",
    )
