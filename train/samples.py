"""What is trained on: recordings or images, one by one, as they are or changed at random."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from spikeport.core.processes import end_with_parent
from spikeport.train.augment import augment
from spikeport.train.data import FrameDataset, open_data
from spikeport.train.data.image_sets import IMAGE_SETS, ImageSet, open_image_set
from spikeport.train.models import MODELS
from spikeport.train.randomness import seeded
from spikeport.train.recipe import AugmentRecipe, Recipe
from spikeport.train.wide import wide

BATCH = 250
"""Samples that are evaluated at once."""


@dataclass(frozen=True)
class Samples(ABC):
    """Samples of one split.

    Attributes:
        name, provenance: for reports.
        indices: which of the source, `[N]`.
        labels: `[N]`.
    """

    name: str
    provenance: str
    indices: NDArray[np.intp]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    @abstractmethod
    def input_domain(self) -> str:
        """What the first layer reads, as `trace` takes it."""

    def only(self, chosen: NDArray[np.intp]) -> Self:
        """Those at the places `chosen`."""
        return replace(self, indices=self.indices[chosen], labels=self.labels[chosen])

    @abstractmethod
    def plain(self, place: int) -> Tensor:
        """A sample as it is: frames `[T, C, H, W]`, or a normalised image `[C, H, W]`."""

    @abstractmethod
    def changed(self, place: int) -> Tensor:
        """A sample changed at random, by the generators of python, numpy and torch; in float32, or
        whole numbers that become it without loss."""

    def batches(
        self, places: NDArray[np.intp] | None = None, size: int = BATCH, loaders: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Samples as they are, with labels `[B]`, in order of `places`."""
        chosen = np.arange(len(self)) if places is None else places
        plain = _Plain(self, chosen)
        yield from DataLoader(
            plain, batch_size=size, num_workers=loaders, worker_init_fn=start_loader
        )


@dataclass(frozen=True)
class FrameSamples(Samples):
    """Recordings; their frames are memory-mapped where they come from files."""

    data: FrameDataset
    augment: AugmentRecipe

    @property
    def input_domain(self) -> str:
        return self.data.input_domain

    def plain(self, place: int) -> Tensor:
        frames: Tensor = self.data[int(self.indices[place])][0]
        return frames

    def changed(self, place: int) -> Tensor:
        """Counts that fit into a byte stay bytes, which cross from process to process four times as
        fast as float32."""
        stored = self.data.frames[int(self.indices[place])]
        small = stored.dtype == np.uint8 and not self.augment.maps
        frames = torch.from_numpy(stored.copy()) if small else self.plain(place)
        if self.augment.maps:
            frames = augment(frames[None], self.augment, torch.default_generator)[0]
        if self.augment.flip and float(torch.rand(())) < self.augment.flip:
            frames = frames.flip(-1)
        return wide(frames) if self.augment.policy == "wide" else frames


@dataclass(frozen=True)
class ImageSamples(Samples):
    """Images and timm's transforms of them."""

    data: ImageSet
    cut: Callable[[Any], Any]
    change: Callable[[Any], Any]

    @property
    def input_domain(self) -> str:
        return "real"

    def plain(self, place: int) -> Tensor:
        image: Tensor = self.cut(self.data.read(int(self.indices[place])))
        return image

    def changed(self, place: int) -> Tensor:
        image: Tensor = self.change(self.data.read(int(self.indices[place])))
        return image


class Drawn(Dataset[tuple[Tensor, int]]):
    """Changed samples by (epoch, place): each draw depends on the seed and these two only."""

    def __init__(self, samples: Samples, seed: int) -> None:
        self.samples, self.seed = samples, seed

    def __getitem__(self, drawn: tuple[int, int]) -> tuple[Tensor, int]:
        epoch, place = drawn
        with seeded(self.seed, epoch, place):
            return self.samples.changed(place), int(self.samples.labels[place])


class _Plain(Dataset[tuple[Tensor, int]]):
    def __init__(self, samples: Samples, places: NDArray[np.intp]) -> None:
        self.samples, self.places = samples, places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        place = int(self.places[index])
        return self.samples.plain(place), int(self.samples.labels[place])


def open_samples(recipe: Recipe, split: str, seed: int = 0) -> Samples:
    """Open a split of the data that a recipe names.

    Args:
        seed: simulation, for simulated data.

    Raises:
        UnknownNameError: no data set or split has this name.
        UsageError: the data do not suit the model.
        FileError: the data cannot be read; where they are missing, says what is expected.
    """
    told = recipe.data
    if told.spec.partition(":")[0] in IMAGE_SETS:
        images = open_image_set(told.spec, split)
        cut, change = image_transforms(recipe)
        places = np.arange(len(images))
        return ImageSamples(
            images.name, images.provenance, places, images.labels, images, cut, change
        )
    data = open_data(told.spec, split, steps=told.steps, framing=told.framing, seed=seed)
    places = np.arange(len(data))
    return FrameSamples(data.name, data.provenance, places, data.labels, data, recipe.augment)


def image_transforms(recipe: Recipe) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """From a PIL image to a normalised `[C, H, W]`: as it is, and changed at random."""
    from timm.data import create_transform

    from spikeport.train.settings import ImageRecipe

    entry, told = MODELS[recipe.model], recipe.images or ImageRecipe()
    shape = entry.options(**recipe.options).input_shape
    channels = shape[0]
    common = {
        "input_size": shape,
        "mean": told.mean or entry.mean or (0.0,) * channels,
        "std": told.std or entry.std or (1.0,) * channels,
    }
    plain = "bicubic" if told.interpolation == "random" else told.interpolation
    cut = create_transform(**common, interpolation=plain, crop_pct=told.crop)
    change = create_transform(
        **common,
        is_training=True,
        interpolation=told.interpolation,
        scale=told.scale,
        ratio=told.ratio,
        hflip=told.flip,
        color_jitter=told.color_jitter or None,
        auto_augment=told.auto_augment,
        re_prob=told.erase_prob,
        re_mode=told.erase_mode,
    )
    return cut, change


def start_loader(worker: int) -> None:
    """What a loading process does first: only its parent hears signals.

    Schedulers send them to every process of a job, and the parent still needs its samples to end in
    order. PyTorch ends its loaders by a message, after the batch that they read.
    """
    import signal

    # PyTorch looks for the parent too, but not for one that ended before the loader began.
    end_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
