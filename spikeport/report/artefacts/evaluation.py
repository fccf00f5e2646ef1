"""What `spikeport evaluate -o` wrote: `evaluation.json` in a folder, or a JSON file alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from spikeport.report.artefacts.reading import Part, checked, read_json, unusable

FILE = "evaluation.json"
FORMAT, VERSION = "spikeport-evaluation", 1
_NEEDED = {"samples", "steps", "targets"}


class Step(Part):
    """The network stopped after `steps` steps."""

    steps: int
    accuracy: float | None
    interval: tuple[float, float] | None
    sop: float | None = None
    energy_uJ: float | None = None  # noqa: N815 the file's own name


class Energy(Part):
    model: str
    energy_uJ: float  # noqa: N815
    energy_uJ_interval: tuple[float, float] | None = None  # noqa: N815


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
    energy: Energy | None = None
    curve: tuple[Step, ...] = ()
    per_class: tuple[Class, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()


class Evaluated(Part):
    """The file; `data` is a name in files of one target's accuracy, and more in those of a
    folder."""

    model: str = ""
    data: Any
    provenance: str = ""
    samples: int
    steps: int | None
    classes: tuple[str, ...] = ()
    targets: dict[str, Target]
    origin: dict[str, str] = Field(default_factory=dict)
    command: str = ""


@dataclass(frozen=True)
class EvaluationArtefact:
    """Accuracy on data, by target."""

    kind: ClassVar[str] = "evaluation"

    source: Path
    content: Evaluated

    @property
    def model(self) -> str:
        return self.content.model or self.content.origin.get("model", "")

    @property
    def graph(self) -> str:
        return self.content.origin.get("graph_sha256", "")

    @property
    def data(self) -> str:
        """Name and split."""
        data = self.content.data
        if isinstance(data, dict):
            return f"{data.get('name', '?')}/{data.get('split', '?')}"
        return str(data)

    @property
    def provenance(self) -> str:
        data = self.content.data
        known = data.get("provenance") if isinstance(data, dict) else ""
        return self.content.provenance or str(known or "")

    @property
    def first(self) -> str:
        """The target that others are compared with."""
        return next(iter(self.content.targets))


def find(folder: Path) -> EvaluationArtefact | None:
    """The evaluation in a folder.

    Raises:
        FileError: there is one that cannot be used.
    """
    path = folder / FILE
    return of_file(path) if path.is_file() else None


def of_file(path: Path) -> EvaluationArtefact:
    """The evaluation in a JSON file.

    Raises:
        FileError: the file holds no evaluation, or one that cannot be used.
    """
    value = read_json(path, EvaluationArtefact.kind)
    stamp = value.get("format", FORMAT), value.get("version", VERSION)
    if stamp != (FORMAT, VERSION) or not value.keys() >= _NEEDED:
        told = f"its format is {str(value.get('format'))[:60]} {str(value.get('version'))[:20]}"
        raise unusable(path, "file", f"it is no evaluation of a known version ({told})")
    content = checked(value, path, EvaluationArtefact.kind, Evaluated)
    if not content.targets:
        raise unusable(path, EvaluationArtefact.kind, "it holds no target")
    return EvaluationArtefact(path, content)
