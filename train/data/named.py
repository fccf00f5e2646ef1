"""Data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry
from spikeport.train.data.digits import PROVENANCE, DigitEvents, DigitSettings, EventDigits
from spikeport.train.data.folder import open_folder
from spikeport.train.data.frame_dataset import FrameDataset
from spikeport.train.data.frames import Framing, all_frames
from spikeport.train.data.tonic_sets import TONIC_SETS, opener


class Opener(Protocol):
    """Opens one kind of data: PATH of the specification (or None), split, frames, seed."""

    def __call__(
        self, path: Path | None, split: str, *, steps: int, framing: Framing, seed: int
    ) -> FrameDataset: ...


@dataclass(frozen=True)
class DataEntry:
    """One named source of data.

    Attributes:
        description: one line for lists.
        path_means: what PATH in `NAME:PATH` stands for.
        open: reads it.
        skips_bad: whether `open` takes `skip_bad`, as recordings in files may be bad.
    """

    description: str
    path_means: str
    open: Opener
    skips_bad: bool = False


DATA: Registry[DataEntry] = Registry("data set")


def data_entry(description: str, path_means: str) -> Callable[[Opener], DataEntry]:
    """Make the decorated function the `open` of a `DataEntry`."""
    return lambda opener: DataEntry(description, path_means, opener)


def open_data(
    spec: str,
    split: str,
    *,
    steps: int,
    framing: Framing = "count",
    seed: int = 0,
    skip_bad: bool = False,
) -> FrameDataset:
    """Open the data that `spec` names.

    Args:
        spec: `NAME` or `NAME:PATH`, with NAME a key of `DATA`.
        split: "train" or "test"; some data have more.
        steps: number of frames T of each recording.
        framing: frames of equal event "count" or of equal "time".
        seed: for simulated data, which simulation.
        skip_bad: leave recordings that cannot be read out and list them in `skipped`.

    Raises:
        UnknownNameError: no data set, split or framing has this name; tells the near matches.
        UsageError: steps is below 1, or these data have no files to skip.
        FileError: the data cannot be read, or their cache not be written.
    """
    name, _, path = spec.partition(":")
    entry = DATA[name]
    where = Path(path).expanduser() if path else None
    if skip_bad and not entry.skips_bad:
        raise UsageError(
            "these data are not read from files of yours, so that none is bad.",
            where=spec,
            fix="Leave --skip-bad out.",
        )
    extra: dict[str, Any] = {"skip_bad": True} if skip_bad else {}
    found = entry.open(where, split, steps=steps, framing=framing, seed=seed, **extra)
    return replace(found, name=f"{spec}/{split}")


@DATA.register("digits")
@data_entry("moving MNIST digits, simulated events, 32 x 32, 10 classes", "the cache folder")
def _open_digits(
    path: Path | None, split: str, *, steps: int, framing: Framing, seed: int
) -> FrameDataset:
    digits = EventDigits(path, split, settings=DigitSettings(seed=seed))
    chosen = digits.recordings.subset(digits.indices)
    return FrameDataset(
        name="digits",
        provenance=PROVENANCE,
        classes=tuple(digits.classes),
        frames=all_frames(chosen, digits.sensor_size, steps, framing),
        labels=np.array(digits.targets),
        events=DigitEvents(path, split, digits.settings),
    )


DATA.add(
    "folder",
    DataEntry(
        "recordings of yours: PATH/{train,test}/CLASS/*",
        "the folder that holds the splits",
        open_folder,
        skips_bad=True,
    ),
)
for _name, _set in TONIC_SETS.items():
    DATA.add(_name, DataEntry(_set.title, f"the folder that holds {_set.cls}/", opener(_set), True))
