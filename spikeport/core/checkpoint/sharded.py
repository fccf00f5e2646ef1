"""Checkpoints cut in several files, with a JSON index that says which entry is where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from spikeport.core.checkpoint.content import Content
from spikeport.core.checkpoint.refusals import foreign
from spikeport.core.errors import FileError
from spikeport.core.files import readable_file

_INDEX_LIMIT = 2**24


def is_index(start: bytes) -> bool:
    """Whether a file that starts like this may be a JSON index."""
    # The header length of a safetensors file may begin with this letter too, but has zeros.
    return start.lstrip()[:1] == b"{" and b"\0" not in start[:8]


def read_sharded(path: Path, read: Callable[[Path], Content]) -> Content:
    """Read the index at `path` and the files it names, which lie beside it.

    Args:
        read: reads one of these files.

    Raises:
        FileError: the index or one of its files is damaged, foreign or unsafe, or an entry is not
            where the index says.
    """
    places = _places(path)
    parts: dict[str, Any] = {}
    for name in sorted(set(places.values())):
        part = read(readable_file(path.parent / name, "part of a checkpoint"))
        if not isinstance(part.value, dict):
            raise foreign(path, f"{name} holds no entries")
        parts[name] = part.value
    lost = [entry for entry, name in places.items() if entry not in parts[name]]
    listed = sum(len(entries) for entries in parts.values())
    if lost or listed != len(places):
        what = f"{lost[0]} is not in {places[lost[0]]}" if lost else "it leaves entries out"
        raise foreign(path, f"the index does not agree with its files: {what}")
    tensors = {entry: parts[name][entry] for entry, name in places.items()}
    return Content(tensors, f"index of {len(parts)} files", ordered=False)


def _places(path: Path) -> dict[str, str]:
    if path.stat().st_size > _INDEX_LIMIT:
        raise foreign(path, "too large for an index of files")
    try:
        content = json.loads(path.read_bytes())
        places = content["weight_map"]
        names = set(places.values())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise foreign(path, "JSON, but no index of checkpoint files") from error
    for name in names:
        if not isinstance(name, str) or name in ("", "..") or Path(name).name != name:
            raise FileError(
                f"this index names {name!r}, which does not lie beside it.",
                where=str(path),
                fix="Keep the index and its files in one folder.",
            )
    return dict(places)
