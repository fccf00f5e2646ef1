"""Checkpoints made by hand, byte by byte, and how they must be refused."""

from __future__ import annotations

import resource
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from spikeport.core.checkpoint import read_weights
from spikeport.core.errors import FileError

REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def refused(path: Path, told: str, **options: Any) -> FileError:
    """Refused, at once, and without taking memory for what the file claims."""
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(FileError, match=told) as caught:
        read_weights(path, **options)
    assert caught.value.where == str(path) and caught.value.fix
    assert time.monotonic() - began < 10
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB
    return caught.value


def rewritten(path: Path, change: Callable[[dict[str, bytes]], None], **options: Any) -> None:
    """Change the members of a torch file; the archive is written anew by `zipfile`."""
    with zipfile.ZipFile(path) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w", **options) as target:
        for name, data in members.items():
            target.writestr(name, data)


def with_pickle(path: Path, content: bytes) -> Path:
    """A torch file whose pickle is `content`; its only storage, "0", has eight bytes."""
    torch.save({"w": torch.ones(2)}, path)
    rewritten(path, lambda members: members.__setitem__(f"{path.stem}/data.pkl", content))
    return path


def tensor_pickle(*, elements: int, offset: int, shape: bytes, strides: bytes) -> bytes:
    """{"w": a tensor on storage "0", which is told to have `elements` float32 numbers}."""
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu"
    return (
        b"\x80\x02}X\x01\0\0\0w" + REBUILD + b"(" + storage + number(elements) + b"tQ"
        + number(offset) + shape + strides + b"\x89ccollections\nOrderedDict\n)RtRs."
    )  # fmt: skip


def number(value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 8) // 8, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw
