"""What a run would do and take, without doing it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from spikeport.core.errors import FileError
from spikeport.train.data import FrameDataset
from spikeport.train.data.image_sets import ImageSet
from spikeport.train.engines import open_engine
from spikeport.train.learning import Splits, start
from spikeport.train.loop import open_splits
from spikeport.train.models import create_model
from spikeport.train.models.base import ZooModel
from spikeport.train.recipe import Recipe
from spikeport.train.samples import (
    FrameSamples,
    ImageSamples,
    Samples,
    image_transforms,
    open_samples,
)

STEPS = 10
"""Batches that are timed."""
SECONDS = 60.0
"""What timing may take, about: larger batches are not tried, but extrapolated to."""
_SMALLEST = 4
_NOISE = "random numbers"


@dataclass(frozen=True)
class Plan:
    """A run on paper, and how fast its steps are here.

    Attributes:
        recipe: all settings.
        parameters: of the model, each 4 bytes.
        train, validation, test: number of samples; None where the data are not here.
        missing: what is said about data that are not here; empty if they are.
        device, processes: what steps were timed on.
        batch: size of the batches that were timed; `STEPS` of them.
        step_seconds: of one: reading, changing, forward, backward and update.
    """

    recipe: Recipe
    parameters: int
    train: int | None
    validation: int | None
    test: int | None
    missing: str
    device: str
    processes: int
    batch: int
    step_seconds: float

    @property
    def seconds_per_batch(self) -> float:
        """Of a step of the recipe; n times as many samples take n times as long."""
        return self.step_seconds * self.recipe.batch_size / self.batch

    @property
    def hours(self) -> float | None:
        """Of all epochs at this pace, without evaluation; None where the data are not here."""
        if self.train is None:
            return None
        steps = self.train / self.recipe.batch_size * self.recipe.passes
        return steps * self.seconds_per_batch / 3600


def plan(
    recipe: Recipe, *, device: str = "auto", loaders: int = 0, seconds: float = SECONDS
) -> Plan:
    """Check a recipe, look for its data, and time ten steps.

    Where the data are not here, steps are timed on random numbers of the same shape. Batches are
    the recipe's if ten of them fit into `seconds`, by the time of batches of four; else smaller.

    Raises:
        UnknownNameError: no model or data set has the name in the recipe.
        UsageError: the settings do not suit each other or the machine.
    """
    model = create_model(recipe.model, **recipe.options)
    splits, test, missing = _data(recipe)
    samples = _made_up(recipe, model) if splits is None else splits.train[0]
    smallest = _SMALLEST * int(os.environ.get("WORLD_SIZE", "1"))
    found = _timed(recipe, model, samples, smallest, device, loaders)
    size = _affordable(recipe, found, seconds, len(samples))
    if size > found.batch:
        found = _timed(recipe, model, samples, size, device, loaders)
    held = None if splits is None or splits.validation is None else len(splits.validation)
    return Plan(
        recipe=recipe,
        parameters=sum(weight.numel() for weight in model.parameters()),
        train=None if splits is None else len(splits.train[0]),
        validation=held,
        test=test,
        missing=missing,
        device=found.device,
        processes=found.processes,
        batch=found.batch,
        step_seconds=found.seconds,
    )


@dataclass(frozen=True)
class _Timing:
    device: str
    processes: int
    batch: int
    seconds: float


def _data(recipe: Recipe) -> tuple[Splits | None, int | None, str]:
    try:
        splits = open_splits(recipe)
        test = open_samples(recipe, recipe.data.test, recipe.data.test_seed)
        return splits, len(test), ""
    except FileError as error:
        return None, None, str(error)


def _affordable(recipe: Recipe, found: _Timing, seconds: float, samples: int) -> int:
    """What the devices take at once by the recipe, or as many times two as time and data allow."""
    whole = recipe.batch_size
    if recipe.micro_batch_size is not None:
        whole = min(whole, recipe.micro_batch_size * found.processes)
    each = found.seconds / found.batch
    limit = min(seconds / STEPS / each, samples / (STEPS + 1))
    if whole <= limit:
        return whole
    return found.batch << max(0, int(limit // found.batch).bit_length() - 1)


def _timed(
    recipe: Recipe, model: nn.Module, samples: Samples, size: int, device: str, loaders: int
) -> _Timing:
    """Mean of ten steps of `size` samples after one that is not counted."""
    told = recipe.model_dump() | {"batch_size": size, "micro_batch_size": None}
    small = Recipe.model_validate(told)
    with open_engine(small, lambda: False, device, loaders) as engine:
        state, move = start(model, small, engine)
        state.model.train()
        steps, begun = 0, time.perf_counter()
        places = np.arange(size * (STEPS + 1)) % len(samples)
        for _ in engine.learn(samples.only(places), 0, 0):
            move(0, 0.0)
            engine.update()
            if not steps:
                begun = time.perf_counter()
            steps += 1
        taken = (time.perf_counter() - begun) / (steps - 1)
        return _Timing(str(engine.device), engine.processes, size, taken)


def _made_up(recipe: Recipe, model: ZooModel) -> Samples:
    """Random numbers of the shape that the model reads."""
    count = recipe.batch_size * (STEPS + 1)
    places, labels = np.arange(count), np.arange(count) % model.num_classes
    classes = tuple(map(str, range(model.num_classes)))
    if model.options.steps is not None:
        noise = ImageSet(_NOISE, "", classes, labels, _Noise(model.input_shape))
        return ImageSamples(_NOISE, "", places, labels, noise, *image_transforms(recipe))
    shape = (recipe.data.steps, *model.input_shape)
    frames = np.random.default_rng(0).poisson(0.1, (1, *shape)).astype(np.uint8)
    data = FrameDataset(_NOISE, "", classes, np.broadcast_to(frames, (count, *shape)), labels)
    return FrameSamples(_NOISE, "", places, labels, data, recipe.augment)


@dataclass(frozen=True)
class _Noise:
    """Reads nothing: decoding pictures is not in the time."""

    shape: tuple[int, int, int]

    def __call__(self, index: int) -> Any:
        from PIL import Image

        channels, height, width = self.shape
        pixels = np.random.default_rng(index).integers(0, 256, (height, width, channels), np.uint8)
        return Image.fromarray(pixels)
