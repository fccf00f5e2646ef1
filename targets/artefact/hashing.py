"""Length and hash of a file."""

from __future__ import annotations

import hashlib
from pathlib import Path

from spikeport.targets.artefact.manifest import FileFacts


def facts_of(path: Path) -> FileFacts:
    """Read once, in pieces."""
    with path.open("rb") as file:
        state = hashlib.file_digest(file, "sha256")
    return FileFacts(bytes=path.stat().st_size, sha256=state.hexdigest())
