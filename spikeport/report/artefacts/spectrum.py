"""What `spikeport spectrum -o` wrote: `spectrum.json`, which has its tables but no curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spikeport.estimate.formats import SPECTRUM, SPECTRUM_STAMP
from spikeport.report.artefacts.reading import Part, label_of, read_part


class Edge(Part):
    """One edge; see `spikeport.estimate.spectrum.report.EDGE_COLUMNS`. What is not defined is left
    out of the file."""

    node: str
    path: str = ""
    kind: str
    domain: str
    height: int | None = None
    width: int | None = None
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    share_white: float | None = None
    left_out: str | None = None
    silent: int | None = None
    time_share: float | None = None
    time_share_low: float | None = None
    time_share_high: float | None = None
    time_share_white: float | None = None
    time_left_out: str | None = None

    @property
    def label(self) -> str:
        return label_of(self.node, self.path)


class Kind(Part):
    """Behind against before, over all nodes of a kind; see `KIND_COLUMNS` there."""

    what: str
    same_size: bool
    nodes: int
    defined: int = 0
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    time_defined: int = 0
    time_difference: float | None = None
    time_difference_low: float | None = None
    time_difference_high: float | None = None


class Spectrum(Part):
    """`spectrum.json`."""

    headline: str
    provenance: str
    origin: dict[str, str]
    share: str
    edges: tuple[Edge, ...]
    by_kind: tuple[Kind, ...]


@dataclass(frozen=True)
class SpectrumArtefact:
    """Frequencies on every edge of a network."""

    kind: ClassVar[str] = "spectra"
    model: ClassVar[str] = ""

    source: Path
    content: Spectrum

    @property
    def graphs(self) -> frozenset[str]:
        return frozenset(filter(None, [self.content.origin.get("graph_sha256")]))


def find(folder: Path) -> SpectrumArtefact | None:
    """The spectra in a folder.

    Raises:
        FileError: there are some that cannot be used.
    """
    path = folder / SPECTRUM
    if not path.is_file():
        return None
    return SpectrumArtefact(
        folder, read_part(path, SpectrumArtefact.kind, Spectrum, SPECTRUM_STAMP)
    )
