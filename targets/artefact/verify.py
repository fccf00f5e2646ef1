"""Verifying an artefact from the folder alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from spikeport.convert.storage import fingerprint
from spikeport.core.errors import MissingPackageError, UnsupportedError
from spikeport.targets import load
from spikeport.targets.artefact.golden import read_golden
from spikeport.targets.artefact.hashing import facts_of
from spikeport.targets.artefact.manifest import Manifest, read_manifest
from spikeport.targets.lowered import Lowered, Run
from spikeport.targets.parity import Parity, compare, output_gap


@dataclass
class ArtefactCheck:
    """What was found.

    Attributes:
        parities: golden run against each backend that ran.
        skipped: backends that could not run here, with the reason.
        problems: why the artefact is not what it says; empty if it is.
    """

    manifest: Manifest
    parities: list[Parity] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "target": self.manifest.target,
            "problems": self.problems,
            "parities": [parity.as_json() for parity in self.parities],
            "skipped": self.skipped,
        }


def verify_artefact(
    folder: str | os.PathLike[str], backends: Sequence[str] | None = None
) -> ArtefactCheck:
    """Check every byte, then run the golden input again and compare every spike.

    Args:
        backends: which to run; the target's first one if not given. A backend whose package is
            missing is told as skipped.

    Raises:
        FileError: the folder holds no artefact, or one that cannot be read.
        UsageError, UnknownNameError: its target or a backend is not known here.
        SpikeportError: a run failed.
    """
    manifest = read_manifest(folder)
    check = ArtefactCheck(manifest, problems=_changed(Path(folder), manifest))
    if check.problems:
        # What was changed is not run: its traces prove nothing any more.
        return check
    lowered = load(folder, manifest.target)
    if fingerprint(lowered.graph) != manifest.graph_sha256:
        check.problems.append("The graph is not the one that the manifest names.")
        return check
    golden = manifest.golden
    frames, expected = read_golden(Path(folder) / golden.file, f"golden ({golden.backend})")
    if not golden.fired:
        check.problems.append("No neuron fired in the golden run: equal spikes prove nothing.")
    for name in backends or lowered.backends[:1]:
        _run(check, lowered, name, frames, expected)
    if not check.parities:
        check.problems.append("Nothing was run: no backend is installed here.")
    return check


def _changed(folder: Path, manifest: Manifest) -> list[str]:
    problems = []
    for name, facts in manifest.files.items():
        path = folder / name
        if not path.is_file():
            problems.append(f"{name} is missing.")
        elif facts_of(path) != facts:
            problems.append(f"{name} was changed after it was written (SHA-256 differs).")
    return problems


def _run(check: ArtefactCheck, lowered: Lowered, name: str, frames: Tensor, golden: Run) -> None:
    try:
        run = lowered.run(frames, backend=name, spikes=True)
    except (MissingPackageError, UnsupportedError) as error:
        check.skipped[name] = str(error)
        return
    parity = compare(golden, run)
    check.parities.append(parity)
    allowed = check.manifest.tolerance
    if parity.different > allowed.spikes * parity.compared:
        first = parity.first_difference
        where = f"; the first in {first.layer}, step {first.step}" if first else ""
        check.problems.append(
            f"{name}: {parity.different} of {parity.compared} spikes differ from the golden run"
            f"{where}."
        )
    per_step = lowered.graph[lowered.graph.outputs[0]].per_step
    gap = output_gap(golden, run, per_step=per_step)
    if not gap <= allowed.outputs:
        check.problems.append(
            f"{name}: outputs differ by {gap:.3g}; {allowed.outputs:.3g} is allowed."
        )
