"""Rows of a comparison: what is known about one network as it was run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spikeport.estimate.paired import Paired, paired
from spikeport.estimate.stats import Share


@dataclass(frozen=True)
class Spent:
    """Energy per sample in uJ, static power not included.

    Attributes:
        model: energy model.
        low, high: 95 % interval of the mean; None where the source tells none.
    """

    model: str
    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Answers:
    """Sample by sample.

    Attributes:
        samples: their names.
        labels: the right classes.
        hits: whether the network was right.
    """

    samples: tuple[str, ...]
    labels: tuple[int, ...]
    hits: tuple[bool, ...]

    def against(self, first: Answers) -> Paired:
        """This one compared with the first."""
        return paired(first.hits, self.hits)


@dataclass(frozen=True)
class Stored:
    """A paired difference that the source tells, against the float network of the same file."""

    difference: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Row:
    """One network at one T and width on one target; costs are means per sample.

    Attributes:
        name: that no other row has.
        source: file or folder that it was read from.
        steps: T; None where it is not told, or the network reads images.
        bits: width of a weight; None: float, or not told.
        graph_sha256: of the graph that ran, "" if not told.
        data: name and split, "" if not told.
        data_sha256: of the frames and labels, "" if not told.
        provenance: what the samples are.
        samples: how many were run.
        right: those answered rightly; None if nobody asked.
        sop: synaptic operations.
        parameters: of the network.
        latency_steps: steps by which the answer comes later than T; None where it is not told.
        answers: None where only totals are known.
        stored: see `Stored`.
        notes: what a reader should know about its figures.
    """

    name: str
    source: Path
    model: str
    target: str
    steps: int | None
    bits: int | None
    graph_sha256: str
    data: str
    data_sha256: str
    provenance: str
    samples: int
    right: Share | None
    energy: Spent | None
    sop: float | None
    parameters: int | None
    latency_steps: int | None
    answers: Answers | None = None
    stored: Stored | None = None
    notes: tuple[str, ...] = ()
