"""`manifest.json`: what a folder holds, what it was made from, and how exactly it must run."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from spikeport.core.checking import problems
from spikeport.core.errors import FileError
from spikeport.core.files import readable_file

FORMAT: Literal["spikeport-artefact"] = "spikeport-artefact"
VERSION: Literal[1] = 1
MANIFEST = "manifest.json"
_LARGEST = 64 * 2**20  # bytes; a manifest of a thousand layers has a few hundred thousand


def _plain(name: str) -> str:
    """A file in the folder itself: what a manifest names is read and hashed."""
    if name != Path(name).name or name in (".", "..", MANIFEST):
        raise ValueError("not the name of a file in this folder")
    return name


FileName = Annotated[str, AfterValidator(_plain)]
Sha256 = Annotated[str, Field(pattern=re.compile("^[0-9a-f]{64}$"))]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FileFacts(_Strict):
    """One file: its length in bytes and its SHA-256."""

    bytes: int = Field(ge=0)
    sha256: Sha256


class Allowed(_Strict):
    """How far a run may be from the golden one; see `lowered.Tolerance`."""

    spikes: float = Field(ge=0, le=1)
    outputs: float = Field(ge=0)


class Input(_Strict):
    """What the network reads at each step, or once per sample: shape without T and B, domain."""

    shape: tuple[int, ...]
    domain: str
    per_step: bool


class Golden(_Strict):
    """The traces that a run is compared with: file, backend that made them, spikes in them."""

    file: FileName
    backend: str
    samples: int = Field(ge=1)
    neurons: int = Field(ge=0)
    fired: int = Field(ge=0)
    silent: tuple[str, ...]


class Manifest(_Strict):
    """All that stands in `manifest.json`.

    Attributes:
        latency: steps by which the last neurons lag behind the input on the target.
        conventions: by neuron node, the settings of its equation.
        certificate: of the float graph that was lowered; None if it had none.
    """

    format: Literal["spikeport-artefact"]
    version: Literal[1]
    target: str
    graph_sha256: Sha256
    time_steps: int | None
    latency: int = Field(ge=0)
    input: Input
    tolerance: Allowed
    golden: Golden
    conventions: dict[str, dict[str, Any]]
    files: dict[FileName, FileFacts]
    versions: dict[str, str]
    certificate: dict[str, Any] | None


def is_artefact(path: str | os.PathLike[str]) -> bool:
    """Whether this is a folder with a manifest."""
    return (Path(path) / MANIFEST).is_file()


def read_manifest(folder: str | os.PathLike[str]) -> Manifest:
    """The manifest of an artefact.

    Raises:
        FileError: missing, damaged, or of another version.
    """
    path = readable_file(Path(folder) / MANIFEST, "manifest")
    if path.stat().st_size > _LARGEST:
        raise _damaged(path, "it is far longer than any manifest")
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except (ValidationError, RecursionError) as error:
        why = problems(error) if isinstance(error, ValidationError) else str(error)
        raise _damaged(path, why[:400]) from error
    if manifest.golden.file not in manifest.files:
        raise _damaged(path, "its golden traces are not among its files")
    return manifest


def _damaged(path: Path, why: str) -> FileError:
    return FileError(
        f"this manifest is unusable: {why}.", where=str(path), fix="Lower the graph again."
    )
