"""One cell of a sweep, run."""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

# Registers how what Lava adds is counted.
from spikeport import lava_counting as _rules  # noqa: F401
from spikeport.convert import Executor, Graph, trace
from spikeport.convert.passes.scale_thresholds import scale_thresholds
from spikeport.core.errors import SpikeportError
from spikeport.core.training_state import STATE_FILE
from spikeport.estimate import evaluate
from spikeport.estimate.energy.load import energy_model
from spikeport.estimate.evaluation.result import TargetResult
from spikeport.estimate.stats import wilson
from spikeport.runs import Batches, Run, RunChoice, open_run, spread
from spikeport.sweep.cells import LAVA, Cell, EvaluateSettings
from spikeport.targets.executors import BackendExecutor, executor_of
from spikeport.targets.reference import ReferenceExecutor
from spikeport.train.stopping import Stopped

if TYPE_CHECKING:
    from torch import Tensor

    from spikeport.train.recipe import Recipe
    from spikeport.train.samples import Samples


@dataclass(frozen=True)
class Place:
    """Where a sweep runs.

    Attributes:
        folder: that relative paths start from; where a machine has none such, its own.
        runs: folder that trained networks go to, one folder each.
    """

    folder: str
    runs: str


def run_cell(place: Place, cell: Cell) -> dict[str, Any]:
    """The row of a cell; where it fails, with the reason as its `error`.

    Raises:
        Stopped: SIGTERM came while it trained; its state is saved.
    """
    start = time.perf_counter()
    try:
        with contextlib.chdir(place.folder if Path(place.folder).is_dir() else os.getcwd()):
            found = _TASKS[cell.task](cell, place)
    except SpikeportError as error:
        found = {"error": str(error)}
    except Stopped:
        raise
    # What one cell breaks on must not cost the others.
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}"}
    return {
        **cell.keys,
        "seconds": time.perf_counter() - start,
        **found,
        "settings_hash": cell.hash,
    }


@lru_cache(maxsize=1)
def _opened(choice: RunChoice, _files: tuple[str, ...]) -> Run:
    """Graph and data stay for the next cell, which mostly wants the same."""
    return open_run(choice)


def _evaluated(cell: Cell, _: Place) -> dict[str, Any]:
    asked = EvaluateSettings.model_validate(cell.settings)
    model = energy_model(asked.energy)
    checkpoint = None if asked.checkpoint is None else Path(asked.checkpoint)
    choice = RunChoice(
        asked.model,
        asked.data,
        checkpoint,
        asked.split,
        asked.samples,
        asked.steps,
        asked.framing,
    )
    run = _opened(choice, cell.files)
    executor = _executor(asked, scale_thresholds(run.graph, asked.threshold), run)
    batches = run.shared_out()
    found = evaluate({asked.target: executor}, batches, energy=model).targets[asked.target]
    answers = found.answers
    return {
        "samples": answers.count,
        "steps": run.data.frame_shape[0],
        "accuracy": answers.top1,
        "accuracy_low": answers.interval[0],
        "accuracy_high": answers.interval[1],
        "correct": answers.correct,
        "tested": answers.count,
        **_cost(found),
        "provenance": run.data.provenance,
    }


def _executor(asked: EvaluateSettings, graph: Graph, run: Run) -> Executor:
    target, _, backend = asked.target.partition(":")
    if target != LAVA:
        return executor_of(asked.target, graph, run.calibration, run.data.frame_shape[0])
    from spikeport.targets.lava import LoweringOptions, lower

    options = LoweringOptions.of(weight_bits=asked.weight_bits)
    lowered = lower(graph, run.calibration(), options=options)
    if backend in ("", lowered.backends[0]):
        return lowered.executor()
    return BackendExecutor(lowered, backend)


def _cost(found: TargetResult) -> dict[str, Any]:
    assert found.energy is not None and found.sop is not None and found.energy_uj is not None
    return {
        "spikes": float(found.energy.totals["spikes_out"]),
        "sop": found.sop.mean,
        "sop_low": found.sop.low,
        "sop_high": found.sop.high,
        "energy_uJ": found.energy_uj.mean,
        "energy_uJ_low": found.energy_uj.low,
        "energy_uJ_high": found.energy_uj.high,
        "uncounted": ", ".join(found.uncounted),
    }


def _trained(cell: Cell, place: Place) -> dict[str, Any]:
    from spikeport.train.loop import fit
    from spikeport.train.recipe import parse_recipe

    recipe = parse_recipe(cell.settings["recipe"], "recipe")
    folder = Path(place.runs) / cell.hash[:16]
    # What an interrupted sweep, or a worker that died, left is gone on with: same settings.
    result = fit(recipe, folder, resume=(folder / STATE_FILE).exists())
    low, high = wilson(round(result.accuracy * result.test_samples), result.test_samples)
    found: dict[str, Any] = {
        "accuracy": result.accuracy,
        "accuracy_low": low,
        "accuracy_high": high,
        "correct": round(result.accuracy * result.test_samples),
        "tested": result.test_samples,
        "seconds": result.seconds,
        "checkpoint": str(result.checkpoint),
    }
    try:
        return {**found, **_counted(cell, recipe, result.checkpoint)}
    except SpikeportError as error:
        # The accuracy stands all the same.
        return {**found, "error": f"trained, but not counted: {error}"}


def _counted(cell: Cell, recipe: Recipe, checkpoint: Path) -> dict[str, Any]:
    """Spikes and energy of a trained network on the test split."""
    model = energy_model(cell.settings["energy"])
    graph, samples = trained_graph(recipe, checkpoint)
    chosen = spread(len(samples), cell.settings["samples"] or len(samples))
    batches = SampleBatches(samples, chosen, time_first=graph.input.per_step)
    executor = ReferenceExecutor(graph)
    found = evaluate({"reference": executor}, batches, energy=model).targets["reference"]
    return {"samples": found.answers.count, **_cost(found), "provenance": samples.provenance}


def trained_graph(recipe: Recipe, checkpoint: Path) -> tuple[Graph, Samples]:
    """A network that a cell trained, and the test split of its data.

    Raises:
        SpikeportError: data or checkpoint cannot be read, or the network cannot be traced.
    """
    from spikeport.train.checkpoint import load_model
    from spikeport.train.samples import open_samples

    samples = open_samples(recipe, recipe.data.test, recipe.data.test_seed)
    inputs, _ = next(samples.batches(np.array(spread(len(samples), 2))))
    model = load_model(recipe.model, checkpoint)
    return trace(model, inputs, input_domain=samples.input_domain), samples


@dataclass(frozen=True)
class SampleBatches(Batches):
    """Of samples of a training: frames `[T, B, C, H, W]`, or images `[B, C, H, W]`."""

    samples: Samples
    chosen: list[int]
    time_first: bool

    def read(self, places: list[int]) -> tuple[Tensor, Tensor]:
        inputs, labels = next(self.samples.batches(np.array(places)))
        return (inputs.transpose(0, 1) if self.time_first else inputs), labels


_TASKS = {"evaluate": _evaluated, "train": _trained}
