"""Training by the book: `fit(recipe, out_dir)`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from spikeport.core.errors import UsageError
from spikeport.core.training_state import STATE_FILE
from spikeport.train.checkpoint import CheckpointInfo, save_checkpoint
from spikeport.train.data.holdout import held_out
from spikeport.train.engines import open_engine
from spikeport.train.evaluate import shared_accuracy
from spikeport.train.learning import Choices, Learnt, Splits, learn
from spikeport.train.models import create_model
from spikeport.train.recipe import Recipe
from spikeport.train.samples import Samples, open_samples
from spikeport.train.state import EpochReport
from spikeport.train.stopping import on_sigterm

logger = logging.getLogger(__name__)

_VERSIONED = ("spikeport", "torch", "spikingjelly", "numpy", "mlxtend", "timm", "accelerate")


@dataclass(frozen=True)
class FitResult:
    """What a training run came to.

    Attributes:
        accuracy: of the final weights on the test split. The test split is looked at once, at the
            end: no epoch is picked by it.
        test_samples: size of the test split.
        checkpoint: the weights, readable by `load_model`.
        seconds: wall time of the epochs, in seconds, interruptions left out.
        cpu_seconds: CPU time of all threads likewise.
        history: one report for each epoch.
        epoch: whose weights these are, counted from 1.
        chosen_by: what they were chosen by: "last epoch" or "validation split".
        validation_samples: size of what was held out of training.
    """

    accuracy: float
    test_samples: int
    checkpoint: Path
    seconds: float
    cpu_seconds: float
    history: tuple[EpochReport, ...]
    epoch: int
    chosen_by: str
    validation_samples: int


def fit(
    recipe: Recipe,
    out_dir: str | Path,
    *,
    resume: bool = False,
    on_epoch: Callable[[EpochReport], None] | None = None,
    device: str = "auto",
    loaders: int = 0,
    keep: int = 0,
    tensorboard: bool = False,
) -> FitResult:
    """Train as the recipe says; the same recipe gives the same weights on the same machine.

    `out_dir` receives `state.safetensors` and `log.csv` after every epoch and
    `<model>.safetensors` at the end. An interruption at any time leaves them whole; a resumed run
    ends with the same weights as one that was never interrupted. SIGTERM saves the state in the
    middle of an epoch. Under `torchrun` every process calls this; the first one writes, and all
    must see the same `out_dir` to resume.

    Args:
        recipe: what to do.
        out_dir: folder for the results, made if needed.
        resume: go on from `state.safetensors`; a finished run is only evaluated again.
        on_epoch: called with each epoch's report once its state is on disk.
        device: "auto" (a GPU where there is one), "cpu" or "cuda".
        loaders: processes that read and change the data (engine "devices").
        keep: keep the weights of the last so many epochs too, in `epochs/`.
        tensorboard: write TensorBoard's events to `tensorboard/`.

    Raises:
        UnknownNameError: no model or data set has the name in the recipe.
        UsageError: `out_dir` holds a run and `resume` is false, or was trained by another recipe.
        FileError: the state to resume is damaged, or a file cannot be written.
        Stopped: SIGTERM came, and the state is saved.
    """
    folder = Path(out_dir)
    require_fresh(folder, resume)
    choices = Choices(folder, resume, keep, tensorboard, loaders, on_epoch)
    with on_sigterm() as asked, open_engine(recipe, asked, device, loaders) as engine:
        model = create_model(recipe.model, **recipe.options)
        splits = open_splits(recipe)
        learnt = learn(model, recipe, splits, engine, choices)
        test = open_samples(recipe, recipe.data.test, recipe.data.test_seed)
        score = shared_accuracy(model, test, engine, loaders)
        checkpoint = folder / f"{recipe.model}.safetensors"
        held = 0 if splits.validation is None else len(splits.validation)
        options = model.options.model_dump(mode="json")
        info = _described(recipe, options, learnt, score, test, held)
        if engine.rank == 0:
            save_checkpoint(checkpoint, model, info)
        engine.wait()
    logger.info("accuracy %.2f %% on %s, written to %s", 100 * score, test.name, checkpoint)
    last = learnt.history[-1]
    return FitResult(
        score,
        len(test),
        checkpoint,
        last.seconds,
        last.cpu_seconds,
        learnt.history,
        learnt.epoch,
        info.chosen_by,
        held,
    )


def require_fresh(folder: Path, resume: bool) -> None:
    """Refuse to write over a run.

    Raises:
        UsageError: there is one in the folder, and it is not to be resumed.
    """
    if (folder / STATE_FILE).exists() and not resume:
        raise UsageError(
            "this folder already holds a training run.",
            where=str(folder),
            fix="Resume it, remove it, or choose another folder.",
        )


def open_splits(recipe: Recipe) -> Splits:
    """What a recipe trains on, and what it holds out.

    Raises:
        As `open_samples` and `held_out`.
    """
    told = recipe.data
    whole = [open_samples(recipe, told.train, seed) for seed in told.train_seeds]
    if not told.validation:
        return Splits(tuple(whole), None)
    train, validation = held_out(whole[0].labels, told.validation, recipe.seed)
    # Of every simulation the same samples are held out, and seen in the first.
    held: Samples = whole[0].only(validation)
    held = replace(held, name=f"{held.name}, {told.validation:g} of it held out")
    return Splits(tuple(each.only(train) for each in whole), held)


def _described(
    recipe: Recipe,
    options: dict[str, object],
    learnt: Learnt,
    score: float,
    test: Samples,
    held: int,
) -> CheckpointInfo:
    chosen = "validation split" if recipe.choose == "validation" else "last epoch"
    return CheckpointInfo(
        model=recipe.model,
        options=options,
        recipe=recipe,
        recipe_hash=recipe.hash,
        accuracy=score,
        test_samples=len(test),
        provenance=test.provenance,
        versions={name: version(name) for name in _VERSIONED},
        chosen_by=chosen,
        epoch=learnt.epoch,
        validation_samples=held,
        validation_accuracy=learnt.history[learnt.epoch - 1].validation_accuracy,
    )
