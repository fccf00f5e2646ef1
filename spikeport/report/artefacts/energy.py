"""What `spikeport estimate -o` wrote: `report.json`, and `network.json` beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spikeport.estimate.formats import NETWORK, NETWORK_STAMP, REPORT, REPORT_STAMP
from spikeport.report.artefacts.reading import Part, label_of, read_json, read_part, unusable


class Accuracy(Part):
    top1: float
    top1_low: float
    top1_high: float
    correct: int
    count: int


class Data(Part):
    name: str
    split: str
    provenance: str
    sha256: str = ""


class Figure(Part):
    """One constant of an energy model, as its file states it."""

    value: str | float
    unit: str
    meaning: str
    source: str
    status: str
    verified: bool


class Model(Part):
    id: str
    title: str
    technology: str
    precision: str
    includes: list[str]
    constants: dict[str, Figure]


class ModelResult(Part):
    id: str
    energy_uJ: float  # noqa: N815 the file's own name
    static_energy_uJ: float | None  # noqa: N815
    excludes: list[str]
    uncharged_operations: list[str]
    unverified_constants: list[str]
    notes: list[str]


class Totals(Part):
    energy_uJ: float  # noqa: N815
    energy_uJ_low: float | None = None  # noqa: N815
    energy_uJ_high: float | None = None  # noqa: N815
    firing_rate_in: float | None = None
    sop: float | None = None
    mac: float | None = None
    spikes_out: float | None = None
    bytes_weights: int = 0


class Layer(Part):
    """One row of the layer table; see `spikeport.estimate.LAYER_COLUMNS`."""

    node: str
    path: str
    stage: str
    part: str
    kind: str
    input_domain: str
    coverage: str
    firing_rate_in: float | None = None
    firing_rate_out: float | None = None
    events_in: float | None = None
    sop: float | None = None
    mac: float | None = None
    energy_uJ: float | None = None  # noqa: N815
    energy_uJ_low: float | None = None  # noqa: N815
    energy_uJ_high: float | None = None  # noqa: N815
    energy_share: float | None = None
    charged_as: str | None = None
    bytes_weights: int | None = None
    ann_energy_uJ: float | None = None  # noqa: N815
    break_even_rate: float | None = None
    output_shape: str | None = None

    @property
    def label(self) -> str:
        return label_of(self.node, self.path)


class Influence(Part):
    constant: str
    ratio_at_half: float
    ratio_at_double: float
    flips_at_factor: float | None


class Compared(Part):
    bits: int
    spiking_energy_uJ: float  # noqa: N815
    dense_energy_uJ: float  # noqa: N815
    quantised_energy_uJ: float  # noqa: N815
    break_even_factor: float | None
    break_even_factor_quantised: float | None
    spikes_per_synapse: float | None
    published_break_even: list[str]
    tornado: list[Influence]
    conventions: list[str]


class Paper(Part):
    mode: str
    source: str
    energy_uJ: float  # noqa: N815
    deviation_percent: float | None
    conventions: list[str]


class LedgerEntry(Part):
    node: str
    path: str
    kind: str
    status: str
    reason: str
    notes: list[str]


class Overflow(Part):
    where: str
    what: str
    needed: int
    limit: int


class Chip(Part):
    id: str
    verdict: str
    ruled_out: bool
    cores_at_least: int
    chips_at_least: int
    bound_by: str
    overflows: list[Overflow]
    unverified_limits: list[str]
    limits: list[str]


class Capacity(Part):
    totals: dict[str, int]
    left_out: list[str]
    layers: list[dict[str, str | int | float | None]]
    chips: list[Chip]


class Report(Part):
    """`report.json`."""

    headline: str
    origin: dict[str, str]
    data: Data
    samples: int
    steps: int | None
    energy_model: Model
    energy_models: list[ModelResult]
    uncharged_operations: list[str]
    interval: dict[str, str | int]
    accuracy: Accuracy | None
    totals: Totals
    comparison: Compared | None
    capacity: Capacity | None
    papers: list[Paper]
    layers: list[Layer]
    ledger: list[LedgerEntry]
    notes: list[str]


class Node(Part):
    """One node of the graph; shapes are without time and batch."""

    node: str
    path: str
    op: str
    inputs: list[str]
    feedback: str
    shape: list[int]
    per_step: bool
    domain: str
    parameters: int
    neurons: int


class Priced(Part):
    """The counts under one energy model; `kinds`: by kind of charge and node, uJ per sample."""

    id: str
    title: str
    energy_uJ: float  # noqa: N815
    ann_energy_uJ: float | None  # noqa: N815
    constants: int
    unverified: int
    excludes: list[str]
    kinds: dict[str, dict[str, float]]


class Network(Part):
    """`network.json`."""

    model: str
    command: str
    origin: dict[str, str]
    outputs: list[str]
    nodes: list[Node]
    rates: dict[str, list[float]]
    energy_models: list[Priced]


@dataclass(frozen=True)
class EnergyArtefact:
    """An energy report and, if it was written beside it, its network."""

    kind: ClassVar[str] = "energy report"

    source: Path
    report: Report
    network: Network | None

    @property
    def model(self) -> str:
        return self.network.model if self.network else ""

    @property
    def parameters(self) -> int | None:
        """Of the network, batch norms folded; None if it was not written beside the report."""
        return None if self.network is None else sum(n.parameters for n in self.network.nodes)

    @property
    def graphs(self) -> frozenset[str]:
        """Hashes of what this is about."""
        return frozenset(filter(None, [self.report.origin.get("graph_sha256")]))


def find(folder: Path) -> EnergyArtefact | None:
    """The energy report in a folder.

    Raises:
        FileError: there is one that cannot be used.
    """
    path, beside = folder / REPORT, folder / NETWORK
    # Lowered networks have a report of their own under this name.
    mine = beside.is_file() or (
        path.is_file() and read_json(path, "report").get("format") == REPORT_STAMP[0]
    )
    if not mine:
        return None
    report = read_part(path, EnergyArtefact.kind, Report, REPORT_STAMP)
    network = None
    if beside.is_file():
        network = read_part(beside, "network of a report", Network, NETWORK_STAMP)
        if network.origin != report.origin:
            raise unusable(beside, "network of a report", "it belongs to another report")
    return EnergyArtefact(folder, report, network)
