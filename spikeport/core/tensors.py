"""Named tensors in files of our own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from spikeport.core.errors import FileError
from spikeport.core.files import atomic_path, readable_file


def save_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write named tensors and string metadata to one safetensors file, atomically.

    The same content makes the same bytes.
    """
    flat = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            # Of no tensors and no metadata, not None, the library makes a file that is none.
            save_file(flat, temporary, metadata=dict(metadata) or None)
        except SafetensorError as error:
            # safetensors wraps the operating system's error (disk full) in its own type.
            raise OSError(str(error)) from error
        if len(metadata) > 1:
            _sort_metadata(temporary)


def _sort_metadata(path: Path) -> None:
    """The library writes metadata in another order at every call."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        # Both write JSON in its shortest form, so that only spaces at the end may differ.
        assert len(text) <= length
        file.seek(8)
        file.write(text.ljust(length))


def load_tensors(
    path: str | os.PathLike[str],
    kind: str = "file",
    examine: Callable[[dict[str, str]], object] = lambda metadata: None,
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: its tensors by name, and its metadata.

    The library checks sizes and places of all tensors against the file's length before it reads.

    Args:
        kind: what messages call the file.
        examine: sees the metadata before any tensor is read, and raises if it is not as it must be.

    Raises:
        FileError: missing, unreadable, truncated or not safetensors.
    """
    target = readable_file(path, kind)
    try:
        with safe_open(target, framework="pt") as reader:
            metadata = dict(reader.metadata() or {})
            examine(metadata)
            return {name: reader.get_tensor(name) for name in reader.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise FileError(
            f"this {kind} is truncated or not a safetensors file ({str(error)[:200]}).",
            where=str(target),
            fix="Copy it again, or write it anew from its source.",
        ) from error
