"""What `spikeport train` wrote: a checkpoint that describes itself, and the state of the run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from safetensors import SafetensorError, safe_open

from spikeport.core.training_state import STATE_FILE, STATE_KEY
from spikeport.report.artefacts.reading import unusable

if TYPE_CHECKING:
    from spikeport.train.checkpoint import CheckpointInfo
    from spikeport.train.state import EpochReport


@dataclass(frozen=True)
class TrainingArtefact:
    """A checkpoint, and the epochs that led to it if their state is still there."""

    kind: ClassVar[str] = "checkpoint"
    graphs: ClassVar[frozenset[str]] = frozenset()

    source: Path
    info: CheckpointInfo
    history: tuple[EpochReport, ...]

    @property
    def model(self) -> str:
        return self.info.model


def find(folder: Path) -> TrainingArtefact | None:
    """The checkpoint in a folder that `fit` wrote.

    Raises:
        FileError: there are several, or one that cannot be used.
    """
    paths = sorted(path for path in folder.glob("*.safetensors") if path.name != STATE_FILE)
    found = [each for each in map(of_file, paths) if each is not None]
    if len(found) > 1:
        raise unusable(folder, "folder", f"it holds {len(found)} checkpoints")
    return found[0] if found else None


def of_file(path: Path) -> TrainingArtefact | None:
    """A checkpoint that `fit` wrote; None if others did. Only the header is read."""
    from spikeport.train.checkpoint import checkpoint_info

    info = checkpoint_info(_metadata(path), str(path))
    if info is None:
        return None
    return TrainingArtefact(path, info, _history(path.with_name(STATE_FILE), info))


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="numpy") as reader:
            return dict(reader.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise unusable(path, "safetensors file", str(error)[:200]) from error


def _history(path: Path, info: CheckpointInfo) -> tuple[EpochReport, ...]:
    from spikeport.train.state import EpochReport

    if not path.is_file():
        return ()
    try:
        stored = json.loads(_metadata(path)[STATE_KEY])
        if stored["recipe"] != info.recipe.model_dump(mode="json"):
            return ()  # of another run
        return tuple(EpochReport.model_validate(each) for each in stored["history"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise unusable(path, "training state", str(error)[:200]) from error
