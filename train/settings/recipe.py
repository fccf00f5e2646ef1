"""Recipes: everything that decides how a training run ends."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, model_validator

from spikeport.train.settings.tables import (
    AugmentRecipe,
    DataRecipe,
    ImageRecipe,
    MixRecipe,
    OptimizerRecipe,
    ScheduleRecipe,
    Settings,
)

# Settings that every recipe had from the beginning are part of its hash; later ones only where they
# are not at their defaults, so that hashes stay what they were.
_FIRST: dict[str, set[str]] = {
    "": {
        *("model", "options", "data", "augment", "seed", "epochs", "batch_size", "learning_rate"),
        *("warmup_epochs", "weight_decay", "label_smoothing", "ema_decay", "workers"),
    },
    "data": {"spec", "train", "test", "steps", "framing", "test_seed", "train_seeds"},
    "augment": {"shift", "rotate", "scale", "shear", "elastic"},
}


class Recipe(Settings):
    """A training run.

    Args:
        edition: of the rules of training that the recipe was written for, so that it gives the same
            weights when rules change. 1, which recipes that name none are: neurons charge by
            (v + x) / 2 while they learn (`halve_sums`), on engine "threads". 2: they learn as they
            run.
        model: name of the model, a key of `MODELS`.
        options: options of the model.
        data: what it learns from.
        augment: random maps of the training data, where they are events.
        images: how they are cut and changed, where they are images; None for events.
        mix: mixing of samples with one another.
        seed: of the first weights, the order of the data, and all that is random.
        epochs: passes over the training split, without those of the schedule's cool-down.
        batch_size: samples in each step of the optimiser, those of all devices together.
        micro_batch_size: samples that go through the network at once on one device, which are those
            that batch norm takes its statistics of; gradients are added up until `batch_size` is
            reached. None: the whole share of a device at once.
        learning_rate: at its highest.
        learning_rate_batch: number of samples in a step that `learning_rate` is meant for; what is
            used is learning_rate * batch_size / learning_rate_batch. None: as it is.
        warmup_epochs: epochs of linear rise before.
        schedule: how the learning rate moves.
        optimizer: which one.
        weight_decay: of weights; biases and batch norms have none.
        clip: largest norm of the gradient of all weights together; None: as it comes.
        label_smoothing: of the cross-entropy.
        ema_decay: of the running mean of the weights, which is what is kept; per step.
        batch_norm: the statistics of the weights that are kept: "measured" on the training split
            once they are final, or the "running" ones of training.
        sync_batch_norm: batch norm over all devices together (GPUs only).
        precision: of the forward pass: "float32", "bf16", "fp16", or "mixed": fp16 on a GPU
            and bf16 on a CPU.
        choose: which epoch's weights are kept: the "last", or the best on the held-out "validation"
            share. Never one picked by the test split.
        deterministic: refuse operations that give other results each time.
        engine: "threads" shares a batch out to CPU threads of one process, see `parallel_learner`;
            "devices" to GPUs and processes, see `DeviceEngine`.
        workers: of "threads": parts that each batch is cut into, one CPU thread each.
    """

    edition: Literal[1, 2] = 1
    model: str
    options: dict[str, Any] = Field(default_factory=dict)
    data: DataRecipe
    augment: AugmentRecipe = AugmentRecipe()
    images: ImageRecipe | None = None
    mix: MixRecipe = MixRecipe()
    seed: int = Field(default=0, ge=0)
    epochs: int = Field(ge=1)
    batch_size: int = Field(default=128, ge=2)
    micro_batch_size: int | None = Field(default=None, ge=2)
    learning_rate: float = Field(gt=0)
    learning_rate_batch: int | None = Field(default=None, ge=1)
    warmup_epochs: float = Field(default=0.0, ge=0)
    schedule: ScheduleRecipe = ScheduleRecipe()
    optimizer: OptimizerRecipe = OptimizerRecipe()
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float | None = Field(default=None, gt=0)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    ema_decay: float = Field(default=0.0, ge=0, lt=1)
    batch_norm: Literal["measured", "running"] = "measured"
    sync_batch_norm: bool = False
    precision: Literal["float32", "bf16", "fp16", "mixed"] = "float32"
    choose: Literal["last", "validation"] = "last"
    deterministic: bool = True
    engine: Literal["threads", "devices"] = "threads"
    workers: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs {self.warmup_epochs} leaves nothing of epochs")
        if self.choose == "validation" and not self.data.validation:
            raise ValueError("choose validation needs data.validation above 0")
        if self.micro_batch_size is not None and self.batch_size % self.micro_batch_size:
            raise ValueError(
                f"batch_size {self.batch_size} is no multiple of micro_batch_size "
                f"{self.micro_batch_size}"
            )
        if self.engine == "threads" and (named := self._for_devices()):
            raise ValueError(f"{', '.join(named)} needs engine devices")
        if self.engine == "devices" and self.workers != 1:
            raise ValueError("workers belongs to engine threads")
        return self

    def _for_devices(self) -> list[str]:
        """Settings that are not at their defaults and that threads know nothing of."""
        names = ("images", "mix", "micro_batch_size", "clip", "sync_batch_norm", "precision")
        found = [name for name in names if getattr(self, name) != _default(Recipe, name)]
        extra = {name: getattr(self.augment, name) for name in ("flip", "policy")}
        found += [f"augment.{n}" for n, v in extra.items() if v != _default(AugmentRecipe, n)]
        return found

    @property
    def passes(self) -> int:
        """All epochs, those of the cool-down included."""
        return self.epochs + self.schedule.cooldown_epochs

    @property
    def highest_learning_rate(self) -> float:
        """What the schedule reaches after its warm-up."""
        if self.learning_rate_batch is None:
            return self.learning_rate
        return self.learning_rate * self.batch_size / self.learning_rate_batch

    @property
    def hash(self) -> str:
        """SHA-256 of all settings; of those that came later, those not at their defaults."""
        told = self.model_dump(mode="json")
        for name in ("data", "augment"):
            told[name] = _told(told[name], getattr(self, name), _FIRST[name])
        text = json.dumps(_told(told, self, _FIRST[""]), sort_keys=True)
        return sha256(text.encode()).hexdigest()


def _told(dumped: dict[str, Any], table: BaseModel, first: set[str]) -> dict[str, Any]:
    return {
        name: value
        for name, value in dumped.items()
        if name in first or getattr(table, name) != _default(type(table), name)
    }


def _default(table: type[BaseModel], name: str) -> Any:
    return table.model_fields[name].get_default(call_default_factory=True)
