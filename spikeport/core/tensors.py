"""Named tensors in files of our own."""

from __future__ import annotations

import os
from collections.abc import Mapping

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from spikeport.core.errors import FileError
from spikeport.core.files import atomic_path, readable_file


def save_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], metadata: Mapping[str, str]
) -> None:
    """Write named tensors and string metadata to one safetensors file, atomically."""
    flat = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    with atomic_path(path) as temporary:
        try:
            save_file(flat, temporary, metadata=dict(metadata))
        except SafetensorError as error:
            # safetensors wraps the operating system's error (disk full) in its own type.
            raise OSError(str(error)) from error


def load_tensors(
    path: str | os.PathLike[str], kind: str = "file"
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: its tensors by name, and its metadata.

    Raises:
        FileError: missing, unreadable, truncated or not safetensors.
    """
    target = readable_file(path, kind)
    try:
        with safe_open(target, framework="pt") as reader:
            metadata = dict(reader.metadata() or {})
            return {name: reader.get_tensor(name) for name in reader.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise FileError(
            f"this {kind} is truncated or not a safetensors file ({error}).",
            where=str(target),
            fix="Copy it again, or write it anew from its source.",
        ) from error
