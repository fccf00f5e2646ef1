"""Training by the book: `fit(recipe, out_dir)`."""

from __future__ import annotations

import contextlib
import copy
import functools
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from spikeport.core.errors import UsageError
from spikeport.core.progress import track
from spikeport.train.augment import augment
from spikeport.train.checkpoint import CheckpointInfo, save_checkpoint
from spikeport.train.data import FrameDataset, open_data
from spikeport.train.evaluate import accuracy
from spikeport.train.models import create_model
from spikeport.train.models.neuron import halve_sums
from spikeport.train.parallel import parallel_learner
from spikeport.train.recipe import Recipe
from spikeport.train.state import EpochReport, TrainingState

logger = logging.getLogger(__name__)

_VERSIONED = ("spikeport", "torch", "spikingjelly", "numpy", "mlxtend")


@dataclass(frozen=True)
class FitResult:
    """What a training run came to.

    Attributes:
        accuracy: of the final weights (the running mean) on the test split. The test split is
            looked at once, at the end: no epoch is picked by it.
        test_samples: size of the test split.
        checkpoint: the weights, readable by `load_model`.
        seconds: wall time of the epochs, in seconds, interruptions left out.
        cpu_seconds: CPU time of all threads likewise.
        history: one report for each epoch.
    """

    accuracy: float
    test_samples: int
    checkpoint: Path
    seconds: float
    cpu_seconds: float
    history: tuple[EpochReport, ...]


def fit(
    recipe: Recipe,
    out_dir: str | Path,
    *,
    resume: bool = False,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> FitResult:
    """Train as the recipe says; the same recipe gives the same weights on the same machine.

    `out_dir` receives `state.safetensors` after every epoch and `<model>.safetensors` at the end.
    An interruption at any time leaves both whole; a resumed run ends with the same weights as one
    that was never interrupted.

    Args:
        recipe: what to do.
        out_dir: folder for the results, made if needed.
        resume: go on from `state.safetensors`; a finished run is only evaluated again.
        on_epoch: called with each epoch's report once its state is on disk.

    Raises:
        UnknownNameError: no model or data set has the name in the recipe.
        UsageError: `out_dir` holds a run and `resume` is false, or was trained by another recipe.
        FileError: the state to resume is damaged, or a file cannot be written.
    """
    folder = Path(out_dir)
    state_file = folder / "state.safetensors"
    if state_file.exists() and not resume:
        raise UsageError(
            "this folder already holds a training run.",
            where=str(folder),
            fix="Resume it, remove it, or choose another folder.",
        )
    with _reproducible(recipe):
        model = create_model(recipe.model, **recipe.options)
        state = _start(model, recipe)
        history = state.restore(state_file, recipe) if resume else []
        train = [_open(recipe, recipe.data.train, seed) for seed in recipe.data.train_seeds]
        for epoch in range(len(history), recipe.epochs):
            history.append(_epoch(state, train[epoch % len(train)], recipe, epoch, history))
            state.save(state_file, recipe, history)
            _announce(history[-1], recipe, on_epoch)
        test = _open(recipe, recipe.data.test, recipe.data.test_seed)
        # The weights of the running mean, with the neurons that everybody else uses.
        model.load_state_dict(state.average.module.state_dict())
        _measure_batch_norms(model, train[0], recipe)
        score = accuracy(model, test)
    checkpoint = folder / f"{recipe.model}.safetensors"
    info = CheckpointInfo(
        model=recipe.model,
        options=model.options.model_dump(mode="json"),
        recipe=recipe,
        recipe_hash=recipe.hash,
        accuracy=score,
        test_samples=len(test),
        provenance=test.provenance,
        versions={name: version(name) for name in _VERSIONED},
    )
    save_checkpoint(checkpoint, model, info)
    logger.info("accuracy %.2f %% on %s, written to %s", 100 * score, test.name, checkpoint)
    last = history[-1]
    return FitResult(score, len(test), checkpoint, last.seconds, last.cpu_seconds, tuple(history))


@contextlib.contextmanager
def _reproducible(recipe: Recipe) -> Iterator[None]:
    """Seed torch and fix its threads; put both back afterwards."""
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    memory: Any = torch.utils.deterministic
    filling = memory.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        try:
            torch.manual_seed(recipe.seed)
            # The workers are the parallelism.
            torch.set_num_threads(1)
            torch.use_deterministic_algorithms(True)
            # It would write new memory twice, a sixth of the time, against readers of what nothing
            # wrote yet; there are none here.
            memory.fill_uninitialized_memory = False
            yield
        finally:
            memory.fill_uninitialized_memory = filling
            torch.use_deterministic_algorithms(deterministic)
            torch.set_num_threads(threads)


def _open(recipe: Recipe, split: str, seed: int) -> FrameDataset:
    data = recipe.data
    return open_data(data.spec, split, steps=data.steps, framing=data.framing, seed=seed)


def _start(blueprint: nn.Module, recipe: Recipe) -> TrainingState:
    model = copy.deepcopy(blueprint)
    for weight in model.parameters():
        # `Module.to` would refuse the position embedding of STF, which has five axes.
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    if recipe.edition == 1:
        halve_sums(model)
    decayed = [weight for weight in model.parameters() if weight.dim() > 1]
    others = [weight for weight in model.parameters() if weight.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": recipe.weight_decay},
            {"params": others, "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
    )
    average = AveragedModel(
        model,
        multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay),  # type: ignore[no-untyped-call]
    )
    return TrainingState(model, average, optimizer)


def _epoch(
    state: TrainingState,
    data: FrameDataset,
    recipe: Recipe,
    epoch: int,
    history: list[EpochReport],
) -> EpochReport:
    """One pass over `data`, in an order that depends on (seed, epoch) only."""
    wall, cpu = time.monotonic(), time.process_time()
    (draw,) = np.random.SeedSequence([recipe.seed, epoch]).generate_state(1, np.uint64)
    generator = torch.Generator().manual_seed(int(draw))
    # A last batch of one would leave batch norm nothing to normalise with.
    order = torch.randperm(len(data), generator=generator)
    batches = [batch for batch in torch.split(order, recipe.batch_size) if len(batch) > 1]
    state.model.train()
    loss_sum, correct, seen = 0.0, 0, 0
    loss = functools.partial(
        functional.cross_entropy, label_smoothing=recipe.label_smoothing, reduction="sum"
    )
    with parallel_learner(state.model, loss, recipe.workers) as learn:
        for number, batch in enumerate(track(batches, f"Epoch {epoch + 1} of {recipe.epochs}")):
            frames = torch.from_numpy(data.frames[batch.numpy()].astype(np.float32))
            labels = torch.from_numpy(data.labels[batch.numpy()])
            batch_loss, right = learn(augment(frames, recipe.augment, generator), labels)
            _set_learning_rate(state, recipe, epoch + number / len(batches))
            state.optimizer.step()
            state.average.update_parameters(state.model)
            loss_sum, correct, seen = loss_sum + batch_loss, correct + right, seen + len(batch)
    before = history[-1] if history else None
    return EpochReport(
        epoch=epoch + 1,
        loss=loss_sum / seen,
        train_accuracy=correct / seen,
        seconds=time.monotonic() - wall + (before.seconds if before else 0.0),
        cpu_seconds=time.process_time() - cpu + (before.cpu_seconds if before else 0.0),
    )


def _measure_batch_norms(model: nn.Module, data: FrameDataset, recipe: Recipe) -> None:
    """Replace the running statistics, which belong to no single set of weights, by those of
    `model` on the training split as it is."""
    order = np.random.default_rng(recipe.seed).permutation(len(data))
    batches = np.array_split(order, -(-len(data) // recipe.batch_size))
    frames = (torch.from_numpy(data.frames[batch].astype(np.float32)) for batch in batches)
    update_bn(frames, model)


def _set_learning_rate(state: TrainingState, recipe: Recipe, epoch: float) -> None:
    """Linear rise for the warm-up epochs, then half a cosine down to zero."""
    if epoch < recipe.warmup_epochs:
        factor = epoch / recipe.warmup_epochs
    else:
        done = (epoch - recipe.warmup_epochs) / (recipe.epochs - recipe.warmup_epochs)
        factor = 0.5 * (1 + math.cos(math.pi * done))
    for group in state.optimizer.param_groups:
        group["lr"] = recipe.learning_rate * factor


def _announce(
    report: EpochReport, recipe: Recipe, on_epoch: Callable[[EpochReport], None] | None
) -> None:
    logger.info(
        "epoch %d of %d: loss %.4f, %.2f %% right while learning, %.0f s",
        report.epoch,
        recipe.epochs,
        report.loss,
        100 * report.train_accuracy,
        report.seconds,
    )
    if on_epoch is not None:
        on_epoch(report)
