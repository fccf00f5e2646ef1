"""Checkpoint files by what is in them; their suffix says nothing (`.pth.tar` is no archive)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from spikeport.core.checkpoint.content import Content
from spikeport.core.checkpoint.refusals import foreign
from spikeport.core.checkpoint.safetensors_file import is_safetensors, read_safetensors
from spikeport.core.checkpoint.sharded import is_index, read_sharded
from spikeport.core.checkpoint.torch_legacy import is_torch_legacy, read_torch_legacy
from spikeport.core.checkpoint.torch_zip import is_torch_zip, read_torch_zip
from spikeport.core.files import readable_file

_START_BYTES = 512

_FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[Path], Content]], ...] = (
    (is_torch_zip, read_torch_zip),
    (is_safetensors, read_safetensors),
    (is_torch_legacy, read_torch_legacy),
)


def open_content(path: str | os.PathLike[str]) -> Content:
    """Read a checkpoint file of any known format; runs no code from it.

    Raises:
        FileError: missing, unreadable, truncated, foreign or unsafe.
    """
    target = readable_file(path, "checkpoint")
    if is_index(_start(target)):
        return read_sharded(target, _read_one)
    return _read_one(target)


def _read_one(path: Path) -> Content:
    start = _start(path)
    for fits, read in _FORMATS:
        if fits(start):
            return read(path)
    raise foreign(path, f"it starts with {start[:8]!r}" if start else "it is empty")


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_START_BYTES)
