"""What `spikeport lower` wrote: the manifest, the fidelity report, and what lowering warned of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from spikeport.report.artefacts.reading import Part, checked, read_json
from spikeport.targets.artefact import Manifest, is_artefact, read_manifest

PARITY, REPORT = "parity.json", "report.json"


class LayerParity(Part):
    layer: str
    path: str
    compared: int
    different: int
    by_step: list[float]
    rate: float
    rate_error: float | None
    alone: float | None
    membrane_error: float | None
    agreement: float


class StageParity(Part):
    left: str
    right: str
    exact: bool
    ok: bool
    compared: int
    different: int
    first: str
    output_difference: float
    same_answer: float | None
    layers: list[LayerParity]

    @property
    def title(self) -> str:
        return f"{self.left} \u2192 {self.right}"


class Parity(Part):
    """`parity.json`."""

    ok: bool
    samples: int
    steps: int
    stages: list[StageParity]
    skipped: dict[str, str]


class Row(Part):
    """One figure of the lowering."""

    layer: str
    path: str = ""
    figure: str
    value: float
    limit: float | None = None
    unit: str = ""
    severity: str = "note"
    advice: str = ""


class Lowering(Part):
    """`report.json` of targets that approximate; others have no rows."""

    rows: tuple[Row, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True)
class LoweredArtefact:
    """A lowered network."""

    kind: ClassVar[str] = "lowered network"
    model: ClassVar[str] = ""

    source: Path
    manifest: Manifest
    parity: Parity | None
    lowering: Lowering

    @property
    def graphs(self) -> frozenset[str]:
        return frozenset(filter(None, [self.manifest.graph_sha256, self.float_graph]))

    @property
    def float_graph(self) -> str:
        """Hash of the float graph that was lowered, "" if it had no certificate."""
        certificate = self.manifest.certificate or {}
        return str(certificate.get("graph_sha256", ""))

    @property
    def target(self) -> str:
        return self.manifest.target

    @property
    def warnings(self) -> list[Row]:
        return [row for row in self.lowering.rows if row.severity != "note"]


def find(folder: Path) -> LoweredArtefact | None:
    """The lowered network in a folder.

    Raises:
        FileError: there is one that cannot be used.
    """
    if not is_artefact(folder):
        return None
    manifest = read_manifest(folder)
    parity = lowering = None
    # Only what the manifest vouches for belongs to it.
    if PARITY in manifest.files:
        path = folder / PARITY
        parity = checked(read_json(path, "fidelity report"), path, "fidelity report", Parity)
    if REPORT in manifest.files:
        path = folder / REPORT
        lowering = checked(read_json(path, "lowering report"), path, "lowering report", Lowering)
    return LoweredArtefact(folder, manifest, parity, lowering or Lowering())
