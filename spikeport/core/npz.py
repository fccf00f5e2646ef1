"""Arrays in an `.npz`, looked at before memory is taken for them."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np


@dataclass(frozen=True)
class Member:
    """One array in an archive."""

    file: zipfile.ZipInfo
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def checked_member(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Member:
    """What an array's header promises; the member must hold just that.

    Raises:
        ValueError: it does not, or objects that only pickle could read.
    """
    # No stream of deflate is smaller than a 1032nd of its content.
    if member.file_size > 1032 * member.compress_size + 4096:
        raise ValueError(f"{member.filename} cannot hold {member.file_size} bytes")
    if member.header_offset + member.compress_size > path.stat().st_size:
        raise ValueError(f"{member.filename} is truncated")
    with archive.open(member) as file:
        shape, dtype = array_header(file)
        count = math.prod(shape)
        if dtype.hasobject or file.tell() + count * dtype.itemsize != member.file_size:
            raise ValueError(f"{member.filename} does not hold {list(shape)} of {dtype}")
    return Member(member, shape, dtype)


def array_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array; leaves `file` where its values begin."""
    layout: Any = np.lib.format
    one = layout.read_magic(file) == (1, 0)
    read = layout.read_array_header_1_0 if one else layout.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype
