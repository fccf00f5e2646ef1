"""safetensors files: a JSON header, then raw numbers."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from spikeport.core.checkpoint.content import Content
from spikeport.core.checkpoint.refusals import foreign

_LENGTH_BYTES = 8
_HEADER_LIMIT = 100_000_000
"""Bytes; the format's own limit."""


def is_safetensors(start: bytes) -> bool:
    """Whether a file that starts like this has the header of a safetensors file."""
    return start[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{"


def read_safetensors(path: Path) -> Content:
    """Read a safetensors file, memory-mapped.

    Its entries are stored by type and name, so nothing is known of their order in the model.

    Raises:
        FileError: damaged, or not as large as it claims.
    """
    _check_header(path)
    try:
        with safe_open(path, framework="pt") as reader:
            tensors = {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118
            metadata = dict(reader.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise foreign(path, error) from error
    return Content(tensors, "safetensors file", ordered=False, metadata=metadata)


def _check_header(path: Path) -> None:
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    room = path.stat().st_size - _LENGTH_BYTES
    if length > min(_HEADER_LIMIT, room):
        raise foreign(path, f"its header claims {length:,} bytes, the file has {room:,}")
