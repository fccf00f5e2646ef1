"""What a training run needs to go on after an interruption."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from spikeport.core.errors import FileError, UsageError
from spikeport.core.tensors import load_tensors, save_tensors
from spikeport.core.training_state import STATE_KEY
from spikeport.train.recipe import Recipe


class EpochReport(BaseModel):
    """One finished epoch.

    Attributes:
        epoch: counted from 1.
        loss: mean over the training samples, while learning.
        train_accuracy: share of right answers on them, while learning; of mixed samples, the larger
            part counts.
        seconds: wall time since the run began, interruptions left out.
        cpu_seconds: CPU time of all threads of the first process likewise.
        learning_rate: in the last step.
        validation_accuracy: share of right answers on what was held out, by the weights that would
            be kept now; None where nothing was.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    loss: float
    train_accuracy: float
    seconds: float
    cpu_seconds: float
    learning_rate: float | None = None
    validation_accuracy: float | None = None


class Position(BaseModel):
    """How far an epoch is: sums over the steps that are done.

    Attributes:
        step: number of steps done.
        loss, right, seen: sums over their samples.
        seconds, cpu_seconds: as in `EpochReport`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: int = 0
    loss: float = 0.0
    right: int = 0
    seen: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0


@dataclass
class Progress:
    """What is done: finished epochs, and the one that is not."""

    history: list[EpochReport] = field(default_factory=list)
    position: Position = field(default_factory=Position)


@dataclass(frozen=True)
class Setting:
    """What a run cannot change when it goes on.

    Attributes:
        recipe: of the run.
        samples: size of what is trained on.
        processes: that share the work.
    """

    recipe: Recipe
    samples: int
    processes: int = 1


@dataclass(frozen=True)
class TrainingState:
    """The parts of a run that change. Random numbers need no state: they are drawn anew from where
    they are needed (seed, epoch, sample), but for the one stream of engine "threads".

    Attributes:
        average: running mean of the weights; None where the recipe has none.
    """

    model: nn.Module
    average: AveragedModel | None
    optimizer: torch.optim.Optimizer

    @property
    def weights(self) -> dict[str, Tensor]:
        """Those that are kept in the end."""
        kept = self.model if self.average is None else self.average.module
        found: dict[str, Tensor] = kept.state_dict()
        return found

    def save(
        self, path: Path, setting: Setting, progress: Progress, engine: Mapping[str, Tensor]
    ) -> None:
        """Write everything to one safetensors file, atomically."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        if self.average is not None:
            named = self.average.state_dict().items()
            tensors |= {f"average.{name}": value for name, value in named}
        moments = self.optimizer.state_dict()["state"]
        for index, entries in moments.items():
            tensors |= {f"optimizer.{index}.{n}": _as_tensor(v) for n, v in entries.items()}
        tensors |= {f"engine.{name}": value for name, value in engine.items()}
        metadata = {
            "recipe": setting.recipe.model_dump(mode="json"),
            "history": [report.model_dump() for report in progress.history],
            "position": progress.position.model_dump(),
            "samples": setting.samples,
            "processes": setting.processes,
            "moved": sorted(moments),
        }
        save_tensors(path, tensors, {STATE_KEY: json.dumps(metadata)})

    def restore(self, path: Path, setting: Setting) -> tuple[Progress, dict[str, Tensor]]:
        """Read what `save` wrote; returns what is done, and the state of the engine.

        Raises:
            FileError: the file is missing, damaged, or of another model.
            UsageError: it was written under another recipe or with other data, or the number of
                processes was another and makes a difference.
        """
        tensors, metadata = load_tensors(path, "training state")
        try:
            found = json.loads(metadata[STATE_KEY])
            history = [EpochReport.model_validate(report) for report in found["history"]]
            progress = Progress(history, Position.model_validate(found["position"]))
            _check(path, setting, found)
            self.model.load_state_dict(_under(tensors, "model."))
            if self.average is not None:
                self.average.load_state_dict(_under(tensors, "average."))
            self._restore_optimizer(_under(tensors, "optimizer."), set(found["moved"]))
        except torch.OutOfMemoryError:  # a RuntimeError, of the device and not of the file
            raise
        except (KeyError, TypeError, ValueError, RuntimeError, ValidationError) as error:
            raise FileError(
                "this training state is damaged, or not one.",
                where=str(path),
                fix="Start again without resuming.",
            ) from error
        return progress, _under(tensors, "engine.")

    def _restore_optimizer(self, tensors: dict[str, Tensor], moved: set[int]) -> None:
        blank = self.optimizer.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, entry = name.split(".", 1)
            state.setdefault(int(index), {})[entry] = value
        # Weights that never run have no state.
        known = {index for group in blank["param_groups"] for index in group["params"]}
        if set(state) != moved or not moved <= known:
            raise ValueError("the optimiser has no state for some weights")
        self.optimizer.load_state_dict({"state": state, "param_groups": blank["param_groups"]})


def _check(path: Path, setting: Setting, found: Mapping[str, object]) -> None:
    if Recipe.model_validate(found["recipe"]).hash != setting.recipe.hash:
        raise UsageError(
            "this run was started with another recipe.",
            where=str(path),
            fix="Resume it with the same settings, or train into another folder.",
        )
    if found["samples"] != setting.samples:
        raise UsageError(
            f"this run was started with {found['samples']} samples to train on, and there are "
            f"{setting.samples} now.",
            where=str(path),
            fix="Resume it with the same data, or train into another folder.",
        )
    told = setting.recipe.micro_batch_size
    if found["processes"] != setting.processes and told is None:
        raise UsageError(
            f"this run was started with {found['processes']} processes, so that batch norm took "
            "its statistics of parts of another size.",
            where=str(path),
            fix="Resume it with as many; recipes that set micro_batch_size may change the number.",
        )


def _as_tensor(value: object) -> Tensor:
    return value if isinstance(value, Tensor) else torch.tensor(value)


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
