"""`.npy` and `.npz` of numpy: a structured array with x, y, t, p, or arrays of these names."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikeport.core.errors import FileError
from spikeport.core.npz import Member, array_header, checked_member
from spikeport.train.data.readers.names import FIELDS, field_names, named_columns
from spikeport.train.data.readers.registry import PACKET, Packet, RawStream, reader


@reader("npy", "numpy .npy, a structured array with x, y, t, p", magic=(b"\x93NUMPY",))
def open_npy(path: Path) -> RawStream:
    try:
        # What numpy raises for damage is no short list (its header is parsed as Python literals).
        # Mapped: a header that promises more than the file holds takes no memory; no pickles.
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except MemoryError:  # no damage of the file, which must not be left out for it
        raise
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
            members = {
                each.filename.removesuffix(".npy"): checked_member(path, archive, each)
                for each in archive.infolist()
            }
            size = _sensor_size(archive, members)
            names = _columns(path, members)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        raise _damaged(path, error) from error
    return RawStream(size, _unpacked(path, members, names))


def _sensor_size(archive: zipfile.ZipFile, members: Mapping[str, Member]) -> tuple[int, int] | None:
    if "sensor_size" not in members:
        return None
    size = members["sensor_size"]
    if size.shape not in ((2,), (3,)) or size.dtype.kind not in "iu":
        raise ValueError(f"sensor_size is {size.dtype} {list(size.shape)}, not width and height")
    with archive.open(size.file) as file:
        array_header(file)
        width, height = np.frombuffer(file.read(), size.dtype)[:2]
    return int(width), int(height)


def _columns(path: Path, members: Mapping[str, Member]) -> dict[str, str]:
    """The member of each of x, y, t, p; `events` four times where it is structured."""
    if "events" in members:
        names = members["events"].dtype.names or ()
        field_names(path, names)
        found = dict.fromkeys(FIELDS, "events")
    else:
        found = field_names(path, tuple(members))
    shapes = {field: members[name].shape for field, name in found.items()}
    for field, shape in shapes.items():
        if len(shape) != 1:
            raise ValueError(f"{field} has the shape {list(shape)}, not one axis")
    if len(set(shapes.values())) != 1:
        raise ValueError("x, y, t and p are not equally long")
    return found


def _unpacked(
    path: Path, members: Mapping[str, Member], names: Mapping[str, str]
) -> Iterator[Packet]:
    """The arrays block by block: numpy would unpack them whole."""
    used = {name: members[name] for name in dict.fromkeys(names.values())}
    (length,) = members[names["t"]].shape
    try:
        with zipfile.ZipFile(path) as archive, ExitStack() as opened:
            files = {name: opened.enter_context(archive.open(m.file)) for name, m in used.items()}
            for file in files.values():
                array_header(file)
            for start in range(0, length, PACKET):
                count = min(PACKET, length - start)
                blocks = {
                    name: np.frombuffer(files[name].read(count * m.dtype.itemsize), m.dtype, count)
                    for name, m in used.items()
                }
                if "events" in blocks:
                    events = blocks["events"]
                    yield named_columns(path, events, events.dtype.names or ())
                else:
                    yield {field: blocks[name] for field, name in names.items()}
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(path, error) from error


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
