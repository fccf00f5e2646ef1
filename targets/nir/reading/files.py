"""What a NIR file holds, as a tree; nothing in it runs, and sizes are looked at before contents.

Files come from strangers. Links out of the file, data stored in other files, and filters other than
HDF5's own compression are refused, since they would read other files or load plug-ins.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikeport.core.errors import FileError
from spikeport.core.files import readable_file

Tree = dict[str, Any]
"""Groups as dictionaries, text as str, everything else as numpy arrays of numbers."""

BYTES_LIMIT = 2**33
"""What all arrays of a file may take in memory: compression hides what a file asks for."""
NODES_LIMIT = 200_000
"""Groups and arrays."""
DEPTH_LIMIT = 32
TEXT_LIMIT = 2**24
"""Characters of one text."""
_FILTERS = frozenset(
    {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32,
     h5py.h5z.FILTER_LZF, h5py.h5z.FILTER_SZIP}
)  # fmt: skip


def read_tree(source: str | os.PathLike[str] | bytes) -> Tree:
    """The content of a NIR file, by path or as bytes.

    Raises:
        FileError: missing, truncated, damaged, no NIR file, or larger than the limits.
    """
    where = "NIR file" if isinstance(source, bytes) else str(source)
    opened: io.BytesIO | Path = (
        io.BytesIO(source) if isinstance(source, bytes) else readable_file(source, "NIR file")
    )
    try:
        with h5py.File(opened, "r") as file:
            if "node" not in file or not isinstance(file["node"], h5py.Group):
                raise _Refused("it holds no NIR graph")
            return _Reader().group(file["node"], 0)
    except _Refused as refusal:
        raise damaged(where, str(refusal)) from refusal
    # h5py has no errors of its own: what libhdf5 finds comes as any of these.
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, MemoryError) as error:
        raise damaged(where, str(error).splitlines()[0][:200] if str(error) else "") from error


def damaged(where: str, why: str) -> FileError:
    """A file that is no NIR file as it should be."""
    return FileError(
        f"this is no NIR file that can be read: {why or 'it is damaged'}.",
        where=where,
        fix="Copy it again, or write it anew from its source.",
    )


class _Refused(Exception):
    """What is wrong, in a few words."""


class _Reader:
    """Reads groups, and keeps count of how much."""

    def __init__(self) -> None:
        self.bytes = self.entries = 0

    def group(self, group: h5py.Group, depth: int) -> Tree:
        if depth > DEPTH_LIMIT:
            raise _Refused(f"it nests more than {DEPTH_LIMIT} groups")
        result: Tree = {}
        for name in group:
            self.entries += 1
            if self.entries > NODES_LIMIT:
                raise _Refused(f"it holds more than {NODES_LIMIT:,} entries")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _Refused(f"{name[:80]!r} is a link")
            entry = group[name]
            result[name] = (
                self.group(entry, depth + 1)
                if isinstance(entry, h5py.Group)
                else self.value(name, entry)
            )
        return result

    def value(self, name: str, entry: Any) -> Any:
        if not isinstance(entry, h5py.Dataset) or entry.shape is None:
            raise _Refused(f"{name[:80]!r} holds no values")
        _check_storage(name, entry)
        self.bytes += max(entry.size, 1) * entry.dtype.itemsize
        if self.bytes > BYTES_LIMIT:
            raise _Refused(f"its arrays take more than {BYTES_LIMIT:,} bytes")
        if h5py.check_string_dtype(entry.dtype) is not None:
            return _text(name, entry)
        if entry.dtype.kind not in "fiub":
            raise _Refused(f"{name[:80]!r} holds {entry.dtype}, not numbers or text")
        return np.asarray(entry[()])


def _check_storage(name: str, entry: h5py.Dataset) -> None:
    made = entry.id.get_create_plist()
    filters = {made.get_filter(index)[0] for index in range(made.get_nfilters())}
    if entry.is_virtual or entry.external:
        raise _Refused(f"{name[:80]!r} lies in another file")
    if filters - _FILTERS:
        raise _Refused(f"{name[:80]!r} is compressed by a plug-in")


def _text(name: str, entry: h5py.Dataset) -> Any:
    """One string as str, several as nested lists of str."""
    if entry.size > NODES_LIMIT * 16:
        raise _Refused(f"{name[:80]!r} holds {entry.size:,} texts")
    value = entry.asstr()[()]
    if isinstance(value, str):
        if len(value) > TEXT_LIMIT:
            raise _Refused(f"{name[:80]!r} is a text of {len(value):,} characters")
        return value
    return np.asarray(value).tolist()
