"""What `spikeport evaluate -o` wrote: `evaluation.json`, which has all of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from spikeport.estimate.formats import EVALUATION, EVALUATION_STAMP
from spikeport.report.artefacts.reading import Part, read_part, unusable

_GRAPH = "graph_sha256"


class Step(Part):
    """The network stopped after `steps` steps."""

    steps: int
    accuracy: float | None
    correct: int
    interval: tuple[float, float] | None
    sop: float | None = None
    energy_uJ: float | None = None  # noqa: N815 the file's own name


class Energy(Part):
    model: str
    energy_uJ: float  # noqa: N815
    energy_uJ_interval: tuple[float, float] | None = None  # noqa: N815
    sop: float | None = None
    uncounted: tuple[str, ...] = ()


class Class(Part):
    label: int
    samples: int
    recall: float | None
    precision: float | None


class Target(Part):
    """One target; `difference` and `agreement` are against the first."""

    accuracy: float
    interval: tuple[float, float]
    correct: int
    agreement: float
    difference: float
    difference_interval: tuple[float, float]
    mcnemar_p: float
    latency_steps: int = 0
    parameters: int | None = None
    energy: Energy | None = None
    curve: tuple[Step, ...] = ()
    per_class: tuple[Class, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()


class Data(Part):
    name: str
    split: str
    provenance: str
    sha256: str = ""


class Evaluated(Part):
    """`evaluation.json`; `origin` has a hash by target as `graph_sha256[TARGET]`."""

    data: Data
    samples: int
    steps: int | None
    classes: tuple[str, ...]
    targets: dict[str, Target]
    origin: dict[str, str]


@dataclass(frozen=True)
class EvaluationArtefact:
    """Accuracy on data, by target."""

    kind: ClassVar[str] = "evaluation"

    source: Path
    content: Evaluated

    @property
    def model(self) -> str:
        return self.content.origin.get("model", "")

    @property
    def graphs(self) -> frozenset[str]:
        origin = self.content.origin
        return frozenset(value for name, value in origin.items() if name.startswith(_GRAPH))

    def graph_of(self, target: str) -> str:
        """Hash of what ran on a target, "" if the file does not tell it."""
        return self.content.origin.get(f"{_GRAPH}[{target}]", "")

    @property
    def data(self) -> str:
        """Name and split."""
        return f"{self.content.data.name}/{self.content.data.split}"

    @property
    def provenance(self) -> str:
        return self.content.data.provenance

    @property
    def first(self) -> str:
        """The target that others are compared with."""
        return next(iter(self.content.targets))


def find(folder: Path) -> EvaluationArtefact | None:
    """The evaluation in a folder.

    Raises:
        FileError: there is one that cannot be used.
    """
    path = folder / EVALUATION
    if not path.is_file():
        return None
    content = read_part(path, EvaluationArtefact.kind, Evaluated, EVALUATION_STAMP)
    if not content.targets:
        raise unusable(path, EvaluationArtefact.kind, "it holds no target")
    return EvaluationArtefact(folder, content)
