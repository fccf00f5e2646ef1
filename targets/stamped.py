"""JSON files beside a lowered network that say what they are: format and version, then content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spikeport.core.errors import FileError
from spikeport.core.files import readable_file


@dataclass(frozen=True)
class Stamp:
    """What the files of one target begin with.

    Attributes:
        part_of: what they belong to, in words.
    """

    format: str
    version: int
    part_of: str

    def on(self, value: dict[str, Any]) -> dict[str, Any]:
        """The content with the stamp in front."""
        return {"format": self.format, "version": self.version, **value}

    def read(self, path: Path, kind: str) -> dict[str, Any]:
        """Stamp and content of a file, which messages call by `kind`.

        Raises:
            FileError: missing, damaged, or of another format or version.
        """
        text = readable_file(path, kind).read_bytes()
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise damaged(path, f"not JSON ({error})") from error
        if not isinstance(value, dict) or value.get("format") != self.format:
            raise damaged(path, f"not part of {self.part_of}")
        if value.get("version") != self.version:
            raise damaged(path, f"format version {value.get('version')} instead of {self.version}")
        return value


def damaged(path: Path, why: str) -> FileError:
    """A file of a lowered network that cannot be used."""
    return FileError(
        f"this file is unusable: {why}.", where=str(path), fix="Lower the graph again."
    )
