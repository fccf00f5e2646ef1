"""From the folders that a user names to networks with all their results."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import networkx as nx

from spikeport.core.errors import FileError, UsageError
from spikeport.report.artefacts import (
    FINDERS,
    Artefact,
    EnergyArtefact,
    EvaluationArtefact,
    LoweredArtefact,
    SpectrumArtefact,
    TrainingArtefact,
    WidthsArtefact,
    training,
    widths,
)

_DEPTH = 2
"""Folders in folders that are looked into: `NAME/lowered/lava`."""
_MOST_FOLDERS = 1000
_SHOWN = 5


@dataclass
class Subject:
    """One network and what is known about it.

    Attributes:
        lowered: by target.
    """

    name: str
    energy: EnergyArtefact | None = None
    evaluation: EvaluationArtefact | None = None
    training: TrainingArtefact | None = None
    widths: WidthsArtefact | None = None
    spectrum: SpectrumArtefact | None = None
    lowered: dict[str, LoweredArtefact] = field(default_factory=dict)

    @property
    def provenance(self) -> str:
        """What the samples are, in the words of their source."""
        if self.energy is not None:
            return self.energy.report.data.provenance
        if self.evaluation is not None:
            return self.evaluation.provenance
        others = [each.content.provenance for each in (self.widths, self.spectrum) if each]
        return next(filter(None, others), "")

    @property
    def artefacts(self) -> list[Artefact]:
        single = (self.energy, self.evaluation, self.widths, self.spectrum, self.training)
        return [*(each for each in single if each is not None), *self.lowered.values()]


def gather(places: Iterable[str | os.PathLike[str]]) -> list[Subject]:
    """The networks behind folders, in the order of first mention.

    `NAME=FOLDER` says which network a folder is about. Without a name, results of the same graph
    belong together (by its hash; a lowered network has that of its float graph too), and so do
    results without a hash that name the same model, if only one graph of that name is there.

    Args:
        places: folders that commands wrote, folders that hold such, checkpoint files, or tables
            of a sweep over widths.

    Raises:
        UsageError: no place is given, or a network has two results of one kind.
        FileError: a place holds nothing that is known, or something that cannot be used.
    """
    found = [
        (name, each)
        for place in places
        for name, path in [named_place(os.fspath(place))]
        for each in artefacts_in(path)
    ]
    if not found:
        raise UsageError(
            "there is nothing to report on.",
            where="spikeport report",
            fix="Name folders that estimate, evaluate, lower, train or spectrum wrote.",
        )
    subjects: dict[str, Subject] = {}
    for key, (name, artefact) in zip(_keys(found), found, strict=True):
        subject = subjects.setdefault(key, Subject(name))
        subject.name = subject.name or artefact.model
        _put(subject, artefact)
    _tell_apart(list(subjects.values()))
    return list(subjects.values())


def _tell_apart(subjects: list[Subject]) -> None:
    """Every network gets a name of its own."""
    seen: Counter[str] = Counter()
    for subject in subjects:
        name = subject.name or "network"
        seen[name] += 1
        subject.name = name if seen[name] == 1 else f"{name} ({seen[name]})"


def named_place(place: str) -> tuple[str, Path]:
    """`NAME=FOLDER` as its parts; the name is "" where none is given."""
    name, equals, path = place.partition("=")
    if equals and name and not Path(place).exists():
        return name, Path(path)
    return "", Path(place)


def artefacts_in(path: Path) -> list[Artefact]:
    """All results in a folder and in the folders that it holds, or those of a single file.

    Raises:
        FileError: there is nothing that is known, or something that cannot be used.
    """
    if path.is_file():
        return [_of_file(path)]
    if not path.is_dir():
        raise FileError(
            "there is no such folder.", where=str(path), fix="Check the path for typing errors."
        )
    results = [each for folder in _folders(path) for find in FINDERS if (each := find(folder))]
    if not results:
        names = sorted(each.name for each in path.iterdir())
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        held = f": {', '.join(names[:_SHOWN])}{more}" if names else ", it is empty"
        raise _unknown(path, f"nothing in this folder is known{held}")
    return results


def _of_file(path: Path) -> Artefact:
    found: Artefact | None = None
    if path.suffix == ".safetensors":
        found = training.of_file(path)
    elif widths.is_sweep(path):
        found = widths.of_file(path)
    if found is None:
        raise _unknown(
            path, "this is neither a folder nor a checkpoint nor a table of evaluate --bits"
        )
    return found


def _folders(path: Path) -> list[Path]:
    """The folder and those in it, hidden ones and links left out."""
    found, level = [path], [path]
    for _ in range(_DEPTH):
        level = [
            child
            for parent in level
            for child in sorted(parent.iterdir())
            if child.is_dir() and not child.is_symlink() and not child.name.startswith(".")
        ]
        found += level
        if len(found) > _MOST_FOLDERS:
            raise _unknown(path, f"more than {_MOST_FOLDERS} folders are in this one")
    return found


def _unknown(path: Path, why: str) -> FileError:
    return FileError(
        f"{why}.",
        where=str(path),
        fix="Name folders that estimate, evaluate, lower, train or spectrum wrote with --out.",
    )


def _keys(found: list[tuple[str, Artefact]]) -> list[str]:
    """By artefact: what those of one network share."""
    graphs = _joined([each.graphs for name, each in found if not name])
    of_model: dict[str, set[str]] = {}
    for name, artefact in found:
        if not name and artefact.graphs and artefact.model:
            own = graphs[next(iter(artefact.graphs))]
            of_model.setdefault(artefact.model, set()).add(own)
    keys = []
    for number, (name, artefact) in enumerate(found):
        known = of_model.get(artefact.model, set())
        if name:
            keys.append(f"name {name}")
        elif artefact.graphs:
            keys.append(f"graph {graphs[next(iter(artefact.graphs))]}")
        elif len(known) == 1:
            keys.append(f"graph {next(iter(known))}")
        else:
            keys.append(f"model {artefact.model}" if artefact.model else f"number {number}")
    return keys


def _joined(groups: Iterable[frozenset[str]]) -> dict[str, str]:
    """By hash: one hash that stands for all that some result mentions together with it."""
    linked: nx.Graph[str] = nx.Graph()
    for hashes in groups:
        nx.add_path(linked, sorted(hashes))
    return {
        each: min(together) for together in nx.connected_components(linked) for each in together
    }


def _put(subject: Subject, artefact: Artefact) -> None:
    before: Artefact | None
    if isinstance(artefact, LoweredArtefact):
        before = subject.lowered.setdefault(artefact.target, artefact)
    elif isinstance(artefact, EnergyArtefact):
        before = subject.energy = subject.energy or artefact
    elif isinstance(artefact, EvaluationArtefact):
        before = subject.evaluation = subject.evaluation or artefact
    elif isinstance(artefact, WidthsArtefact):
        before = subject.widths = subject.widths or artefact
    elif isinstance(artefact, SpectrumArtefact):
        before = subject.spectrum = subject.spectrum or artefact
    else:
        before = subject.training = subject.training or artefact
    if before is not artefact:
        raise UsageError(
            f"{subject.name or 'this network'} has two of the kind {artefact.kind}: "
            f"{before.source} and {artefact.source}.",
            where="spikeport report",
            fix="Leave one out, or give them names: first=FOLDER second=FOLDER.",
        )
