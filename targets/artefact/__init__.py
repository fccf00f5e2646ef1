"""A lowered network as a folder that proves itself: files, hashes, golden traces."""

from spikeport.targets.artefact.manifest import MANIFEST, Manifest, read_manifest
from spikeport.targets.artefact.verify import ArtefactCheck, is_artefact, verify_artefact
from spikeport.targets.artefact.write import write_artefact

__all__ = [
    "MANIFEST",
    "ArtefactCheck",
    "Manifest",
    "is_artefact",
    "read_manifest",
    "verify_artefact",
    "write_artefact",
]
