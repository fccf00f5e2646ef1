"""What a training run needs to go on after an interruption."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from spikeport.core.errors import FileError, UsageError
from spikeport.core.tensors import load_tensors, save_tensors
from spikeport.train.recipe import Recipe

_KEY = "spikeport.training"


class EpochReport(BaseModel):
    """One finished epoch.

    Attributes:
        epoch: counted from 1.
        loss: mean over the training recordings, while learning.
        train_accuracy: share of right answers on them, while learning.
        seconds: wall time since the run began, interruptions left out.
        cpu_seconds: CPU time of all threads likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    loss: float
    train_accuracy: float
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class TrainingState:
    """The parts of a run that change. Random numbers need no state: they are drawn anew from
    (seed, epoch) at the start of every epoch."""

    model: nn.Module
    average: AveragedModel
    optimizer: torch.optim.Optimizer

    def save(self, path: Path, recipe: Recipe, history: list[EpochReport]) -> None:
        """Write everything to one safetensors file, atomically."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        for index, entries in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in entries.items()}
        metadata = {
            "recipe": recipe.model_dump(mode="json"),
            "history": [report.model_dump() for report in history],
        }
        save_tensors(path, tensors, {_KEY: json.dumps(metadata)})

    def restore(self, path: Path, recipe: Recipe) -> list[EpochReport]:
        """Read what `save` wrote, and return the history.

        Raises:
            FileError: the file is missing, damaged, or of another model.
            UsageError: it was written under another recipe.
        """
        tensors, metadata = load_tensors(path, "training state")
        try:
            found = json.loads(metadata[_KEY])
            history = [EpochReport.model_validate(report) for report in found["history"]]
            if found["recipe"] != recipe.model_dump(mode="json"):
                raise UsageError(
                    "this run was started with another recipe.",
                    where=str(path),
                    fix="Resume it with the same settings, or train into another folder.",
                )
            self.model.load_state_dict(_under(tensors, "model."))
            self.average.load_state_dict(_under(tensors, "average."))
            self._restore_optimizer(_under(tensors, "optimizer."))
        except (KeyError, TypeError, ValueError, RuntimeError, ValidationError) as error:
            raise FileError(
                "this training state is damaged, or not one.",
                where=str(path),
                fix="Start again without resuming.",
            ) from error
        return history

    def _restore_optimizer(self, tensors: dict[str, Tensor]) -> None:
        blank = self.optimizer.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in tensors.items():
            index, entry = name.split(".", 1)
            state.setdefault(int(index), {})[entry] = value
        if set(state) != {index for group in blank["param_groups"] for index in group["params"]}:
            raise ValueError("the optimiser has no state for some weights")
        self.optimizer.load_state_dict({"state": state, "param_groups": blank["param_groups"]})


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
