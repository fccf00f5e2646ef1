"""A lowered network as a folder that proves itself: files, hashes, golden traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.targets.artefact.manifest import (
        MANIFEST,
        Manifest,
        is_artefact,
        read_manifest,
    )
    from spikeport.targets.artefact.verify import ArtefactCheck, verify_artefact
    from spikeport.targets.artefact.write import write_artefact

_PLACES = {
    "ArtefactCheck": "verify",
    "MANIFEST": "manifest",
    "Manifest": "manifest",
    "is_artefact": "manifest",
    "read_manifest": "manifest",
    "verify_artefact": "verify",
    "write_artefact": "write",
}

__all__ = [
    "MANIFEST",
    "ArtefactCheck",
    "Manifest",
    "is_artefact",
    "read_manifest",
    "verify_artefact",
    "write_artefact",
]

__getattr__ = lazy(__name__, _PLACES)
