"""The course of training, for any model: epochs, validation, states, and the weights chosen."""

from __future__ import annotations

import contextlib
import copy
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from spikeport.core.errors import UsageError
from spikeport.core.files import remove_abandoned
from spikeport.core.progress import track
from spikeport.core.tensors import load_tensors, save_tensors
from spikeport.core.training_state import STATE_FILE
from spikeport.train.engines import Engine
from spikeport.train.evaluate import shared_accuracy
from spikeport.train.logs import RunLog
from spikeport.train.models.neuron import halve_sums
from spikeport.train.recipe import Recipe
from spikeport.train.samples import Samples
from spikeport.train.schedule import Schedule, make_optimizer, make_schedule
from spikeport.train.state import EpochReport, Position, Progress, Setting, TrainingState
from spikeport.train.stopping import Stopped

logger = logging.getLogger(__name__)

BEST_FILE = "best.safetensors"


@dataclass(frozen=True)
class Splits:
    """What a run sees while it trains.

    Attributes:
        train: samples of each simulation (one for data that are not simulated); epochs take them in
            turn.
        validation: held out of them, and looked at after every epoch; None where nothing is.
    """

    train: tuple[Samples, ...]
    validation: Samples | None


@dataclass(frozen=True)
class Choices:
    """What has no influence on the weights.

    Attributes:
        folder: for states and logs.
        resume: go on from the state in it.
        keep: weights of the last so many epochs are kept too, in `epochs/`.
        tensorboard: write its events.
        loaders: processes that read data.
        on_epoch: called with each epoch's report once its state is on disk.
    """

    folder: Path
    resume: bool = False
    keep: int = 0
    tensorboard: bool = False
    loaders: int = 0
    on_epoch: Callable[[EpochReport], None] | None = None


@dataclass(frozen=True)
class Learnt:
    """How training went.

    Attributes:
        history: one report for each epoch.
        epoch: whose weights were chosen, counted from 1.
    """

    history: tuple[EpochReport, ...]
    epoch: int


def learn(
    model: nn.Module, recipe: Recipe, splits: Splits, engine: Engine, choices: Choices
) -> Learnt:
    """Train a copy of `model` and load the chosen weights into it.

    Raises:
        UsageError: the data are fewer than a batch, or the state in the folder is another run's.
        FileError: the state to resume is damaged, or a file cannot be written.
        Stopped: SIGTERM came; the state is saved.
    """
    _require_steps(recipe, splits, engine)
    run = _Run(model, recipe, splits, engine, choices)
    with contextlib.ExitStack() as closing:
        if engine.rank == 0:
            done = len(run.progress.history)
            log = RunLog(choices.folder, tensorboard=choices.tensorboard, done=done)
            run.log = closing.enter_context(log)
        while len(run.progress.history) < recipe.passes:
            run.epoch()
    return run.finish()


class _Run:
    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        splits: Splits,
        engine: Engine,
        choices: Choices,
    ) -> None:
        self.model, self.recipe, self.splits = model, recipe, splits
        self.engine, self.choices = engine, choices
        self.log: RunLog | None = None
        self.setting = Setting(recipe, len(splits.train[0]), engine.processes)
        self.state, self.schedule = start(model, recipe, engine)
        self.progress = Progress()
        self.file = choices.folder / STATE_FILE
        if choices.resume:
            self.progress, told = self.state.restore(self.file, self.setting)
            engine.restore(told)
            self._complete()
        # Nobody writes where another still reads.
        engine.wait()

    def _complete(self) -> None:
        """Do what a run may have been kept from by a kill just after it saved its state."""
        if self._last_is_best and not self.progress.position.step:
            self._weigh(self.state.weights)
            self._save_best()

    def epoch(self) -> None:
        """One pass over the training split, in an order that depends on (seed, epoch) only."""
        number = len(self.progress.history)
        samples = self.splits.train[number % len(self.splits.train)]
        self._steps(samples, number)
        self._share_buffers()
        right = self._validated()
        at = self.progress.position
        rate = self.state.optimizer.param_groups[0]["lr"]
        report = EpochReport(
            epoch=number + 1,
            loss=at.loss / at.seen,
            train_accuracy=at.right / at.seen,
            seconds=at.seconds,
            cpu_seconds=at.cpu_seconds,
            learning_rate=float(rate),
            validation_accuracy=right,
        )
        self.progress.history.append(report)
        self.progress.position = Position(seconds=at.seconds, cpu_seconds=at.cpu_seconds)
        self._save_epoch()
        self._announce(report)

    def _steps(self, samples: Samples, number: int) -> None:
        steps, first = self.engine.steps(samples), self.progress.position.step
        before = self.progress.position
        wall, cpu = time.monotonic(), time.process_time()
        self.state.model.train()
        with contextlib.closing(self.engine.learn(samples, number, first)) as learning:
            told = f"Epoch {number + 1} of {self.recipe.passes}"
            # One bar for all processes.
            shown = learning if self.engine.rank else track(learning, told, steps - first)
            for step, result in enumerate(shown, first):
                self.schedule(number, step / steps)
                self.engine.update()
                if self.state.average is not None:
                    self.state.average.update_parameters(self.state.model)
                at = self.progress.position
                self.progress.position = Position(
                    step=step + 1,
                    loss=at.loss + result.loss,
                    right=at.right + result.right,
                    seen=at.seen + result.seen,
                    seconds=before.seconds + time.monotonic() - wall,
                    cpu_seconds=before.cpu_seconds + time.process_time() - cpu,
                )
                if result.stop:
                    self._stop()
        # A run that stopped after the last step of an epoch goes on here.
        self.schedule(number, (steps - 1) / steps)

    def _share_buffers(self) -> None:
        for model in (self.state.model, self.state.average):
            if model is not None:
                self.engine.share_buffers(model)

    def _stop(self) -> None:
        self._share_buffers()
        self._save()
        raise Stopped(len(self.progress.history) + 1, self.progress.position.step, self.file)

    def _save(self) -> None:
        if self.engine.rank == 0:
            remove_abandoned(self.file)
            told = self.engine.state()
            self.state.save(self.file, self.setting, self.progress, told)
        self.engine.wait()

    def _save_epoch(self) -> None:
        history = self.progress.history
        if self.engine.rank == 0 and self.choices.keep:
            self._keep_last(history)
        self._save()
        if self._last_is_best:
            self._save_best()
        if self.log is not None:
            self.log.write(history)

    @property
    def _last_is_best(self) -> bool:
        history = self.progress.history
        chosen = bool(history) and self.recipe.choose == "validation"
        return chosen and _best(history) == len(history)

    def _save_best(self) -> None:
        """Write what the model holds.

        Only after the state, which holds these weights too: a resumed run then finds them, even
        where it would not reach them again.
        """
        if self.engine.rank == 0:
            save_tensors(self.choices.folder / BEST_FILE, self.model.state_dict(), {})
        self.engine.wait()

    def _keep_last(self, history: list[EpochReport]) -> None:
        folder, number = self.choices.folder / "epochs", len(history)
        if self.splits.validation is None:
            self._weigh(self.state.weights)
        save_tensors(_numbered(folder, number), self.model.state_dict(), {})
        for path in folder.glob("*.safetensors"):
            if path.stem.isdigit() and int(path.stem) <= number - self.choices.keep:
                path.unlink()

    def _validated(self) -> float | None:
        if self.splits.validation is None:
            return None
        self._weigh(self.state.weights)
        held = self.splits.validation
        return shared_accuracy(self.model, held, self.engine, self.choices.loaders)

    def _weigh(self, weights: dict[str, Tensor]) -> None:
        """Put weights into the model that everybody else uses."""
        self.model.load_state_dict(weights)
        if self.recipe.batch_norm == "measured":
            measure_batch_norms(self.model, self.splits.train[0], self.recipe, self.engine.device)

    def _announce(self, report: EpochReport) -> None:
        logger.info(
            "epoch %d of %d: loss %.4f, %.2f %% right while learning, %.0f s",
            report.epoch,
            self.recipe.passes,
            report.loss,
            100 * report.train_accuracy,
            report.seconds,
        )
        if self.choices.on_epoch is not None and self.engine.rank == 0:
            self.choices.on_epoch(report)

    def finish(self) -> Learnt:
        """Load the weights that the recipe chooses."""
        history = self.progress.history
        chosen = _best(history) if self.recipe.choose == "validation" else len(history)
        if self.recipe.choose == "validation":
            weights, _ = load_tensors(self.choices.folder / BEST_FILE, "file of the best weights")
            self.model.load_state_dict(weights)
        else:
            self._weigh(self.state.weights)
        return Learnt(tuple(history), chosen)


def start(blueprint: nn.Module, recipe: Recipe, engine: Engine) -> tuple[TrainingState, Schedule]:
    """A copy of a model in an engine's hands, its optimiser, and its learning rate's course."""
    model = copy.deepcopy(blueprint)
    for weight in model.parameters():
        # `Module.to` would refuse the position embedding of STF, which has five axes.
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    if recipe.engine == "threads" and recipe.edition == 1:
        halve_sums(model)
    model.to(engine.device)
    optimizer = make_optimizer(model, recipe)
    average = None
    if recipe.ema_decay or recipe.engine == "threads":
        average = AveragedModel(
            model,
            multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay),  # type: ignore[no-untyped-call]
        )
    schedule = make_schedule(optimizer, recipe)
    engine.prepare(model, optimizer)
    return TrainingState(model, average, optimizer), schedule


def measure_batch_norms(
    model: nn.Module, data: Samples, recipe: Recipe, device: torch.device
) -> None:
    """Replace the running statistics, which belong to no single set of weights, by those of
    `model` on the training split as it is."""
    model.to(device)
    order = np.random.default_rng(recipe.seed).permutation(len(data))
    batches = np.array_split(order, -(-len(data) // recipe.batch_size))
    parts = (torch.stack([data.plain(int(place)) for place in part]) for part in batches)
    update_bn((part.to(device) for part in parts), model)


def _require_steps(recipe: Recipe, splits: Splits, engine: Engine) -> None:
    fewest = min(splits.train, key=engine.steps)
    if not engine.steps(fewest):
        raise UsageError(
            f"{len(fewest)} samples are less than one batch of {recipe.batch_size}.",
            where="batch_size",
            fix="Use a smaller batch_size, or more data.",
        )


def _best(history: list[EpochReport]) -> int:
    """Number of the epoch that is best on the held-out samples; the first of equals."""
    scores = [report.validation_accuracy or 0.0 for report in history]
    return scores.index(max(scores)) + 1


def _numbered(folder: Path, number: int) -> Path:
    return folder / f"{number:04d}.safetensors"
