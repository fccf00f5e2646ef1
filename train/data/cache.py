"""Data sets that are computed once and kept on disk."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import torch
from filelock import FileLock
from torch import Tensor

from spikeport.core.errors import FileError
from spikeport.core.tensors import load_tensors, save_tensors

logger = logging.getLogger(__name__)

T = TypeVar("T")


def cached_tensors(
    folder: Path, name: str, settings: Mapping[str, Any], build: Callable[[], dict[str, Tensor]]
) -> dict[str, Tensor]:
    """Return what `build` returns, from disk where it was built before with the same settings.

    See `stored_or_built`. A damaged file is reported in the log and built again.

    Raises:
        FileError: the folder cannot be written.
    """
    text = json.dumps(settings, sort_keys=True)
    path = folder / f"{name}-{sha256(text.encode()).hexdigest()[:16]}.safetensors"

    def store() -> dict[str, Tensor]:
        made = build()
        save_tensors(path, made, {"settings": text, "checksum": _checksum(made)})
        return made

    return stored_or_built(path, lambda: _read(path), store)


def stored_or_built(path: Path, read: Callable[[], T | None], build: Callable[[], T]) -> T:
    """What `read` finds at `path`, or else what `build` makes and stores there.

    Several processes may ask at once: one builds, the others wait.

    Raises:
        FileError: the folder cannot be written.
    """
    found = read()
    if found is not None:
        return found
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_suffix(".lock")).acquire()
    except OSError as error:
        raise FileError(
            f"this cache folder cannot be written: {error.strerror or error}.",
            where=str(path.parent),
            fix="Set SPIKEPORT_CACHE to a folder that can.",
        ) from error
    with lock:
        # Another process may have built it while this one waited.
        found = read()
        return build() if found is None else found


def _read(path: Path) -> dict[str, Tensor] | None:
    if not path.exists():
        return None
    try:
        tensors, metadata = load_tensors(path, "cache file")
    except FileError as error:
        logger.warning("%s It is built again.", error)
        return None
    if metadata.get("checksum") != _checksum(tensors):
        logger.warning("%s: this cache file is damaged. It is built again.", path)
        return None
    return tensors


def _checksum(tensors: Mapping[str, Tensor]) -> str:
    value = 0
    for name in sorted(tensors):
        value = zlib.crc32(name.encode(), value)
        value = zlib.crc32(tensors[name].contiguous().view(torch.uint8).numpy().data, value)
    return f"{value:08x}"
