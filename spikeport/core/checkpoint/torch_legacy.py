"""Files that `torch.save` wrote before torch 1.6: five pickles, then raw storages."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import torch

from spikeport.core.checkpoint.content import Content
from spikeport.core.checkpoint.refusals import foreign, unsafe
from spikeport.core.checkpoint.safe_globals import only_safe_globals
from spikeport.core.checkpoint.scan import scan
from spikeport.core.errors import FileError

_MAGIC = 0x1950A86A20F9469CFC6C
_LENGTH_BYTES = 8


def is_torch_legacy(start: bytes) -> bool:
    """Whether a file that starts like this is a pickle."""
    return start.startswith(b"\x80")


def read_torch_legacy(path: Path) -> Content:
    """Read the older format of `torch.save`. It cannot be memory-mapped: all of it is read.

    Raises:
        FileError: damaged, foreign or unsafe, or not as large as it claims.
    """
    try:
        with path.open("rb") as file:
            _check(file, path)
            file.seek(0)
            with only_safe_globals():
                value = torch.load(file, map_location="cpu", weights_only=True)
    except FileError:
        raise
    except Exception as error:  # a damaged file makes the reader fail in many ways
        raise foreign(path, error) from error
    return Content(value, "torch file (format before torch 1.6)", ordered=True)


def _check(file: BinaryIO, path: Path) -> None:
    magic = scan(file)
    if magic.foreign:
        raise unsafe(path, magic.foreign)
    if magic.result != _MAGIC:
        raise foreign(path, "a pickle that torch.save did not write")
    protocol, system, content, keys = scan(file), scan(file), scan(file), scan(file)
    for part in (protocol, system, content, keys):
        if part.foreign:
            raise unsafe(path, part.foreign)
    # A storage that is listed nowhere would keep whatever was in memory before.
    if sorted(keys.result) != sorted(content.storages):
        raise foreign(path, "its list of storages is not complete")
    claimed = sum(_LENGTH_BYTES + storage.size for storage in content.storages.values())
    there = path.stat().st_size - file.tell()
    if claimed > there:
        raise foreign(path, f"its storages claim {claimed:,} bytes, the file has {there:,}")
