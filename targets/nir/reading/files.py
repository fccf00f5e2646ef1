"""What a NIR file holds, as a tree; nothing in it runs, and sizes are looked at before contents.

Files come from strangers. Links out of the file, data stored in other files, and filters other than
HDF5's own compression are refused, since they would read other files or load plug-ins.
"""

from __future__ import annotations

import io
import math
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
"""Characters of one text, or of all texts of one array."""
ROW_LIMIT = 16
"""Texts in a row of an array; edges have two."""
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
        self.add(max(entry.size, 1) * entry.dtype.itemsize)
        if h5py.check_string_dtype(entry.dtype) is not None:
            return self.text(name, entry)
        if entry.dtype.kind not in "fiub":
            raise _Refused(f"{name[:80]!r} holds {entry.dtype}, not numbers or text")
        return np.asarray(entry[()])

    def text(self, name: str, entry: h5py.Dataset) -> Any:
        """One string as str, several as nested lists of str.

        How long a text is can only be seen when it is there, and many places of a file may name
        the same one. None is longer than the file, so what is read at once is limited by that.
        """
        if entry.size > NODES_LIMIT * 16:
            raise _Refused(f"{name[:80]!r} holds {entry.size:,} texts")
        row = math.prod(entry.shape[1:])
        if row > ROW_LIMIT:
            raise _Refused(f"{name[:80]!r} holds {row:,} texts in a row")
        if not entry.shape:
            text: str = entry.asstr()[()]
            self.add_text(name, len(text))
            return text
        longest = max(entry.file.id.get_filesize(), entry.dtype.itemsize)
        rows = max(1, TEXT_LIMIT // (longest * max(row, 1)))
        texts: list[Any] = []
        characters = 0
        for start in range(0, len(entry), rows):
            piece = np.asarray(entry.asstr()[start : start + rows])
            added = sum(map(len, piece.flat))
            characters += added
            self.add_text(name, added, characters)
            texts += piece.tolist()
        return texts

    def add_text(self, name: str, added: int, characters: int = 0) -> None:
        """Count so many more characters of an entry, all in all `characters` if it has several."""
        if max(added, characters) > TEXT_LIMIT:
            raise _Refused(f"{name[:80]!r} holds more than {TEXT_LIMIT:,} characters")
        self.add(added)

    def add(self, size: int) -> None:
        self.bytes += size
        if self.bytes > BYTES_LIMIT:
            raise _Refused(f"its arrays take more than {BYTES_LIMIT:,} bytes")


def _check_storage(name: str, entry: h5py.Dataset) -> None:
    made = entry.id.get_create_plist()
    filters = {made.get_filter(index)[0] for index in range(made.get_nfilters())}
    if entry.is_virtual or entry.external:
        raise _Refused(f"{name[:80]!r} lies in another file")
    if filters - _FILTERS:
        raise _Refused(f"{name[:80]!r} is compressed by a plug-in")
