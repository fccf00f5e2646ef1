"""A data set and a recipe small enough to train on within a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from spikeport.train.data import DATA, DataEntry, FrameDataset
from spikeport.train.data.frames import Framing
from spikeport.train.recipe import Recipe, parse_recipe


def _open_blobs(
    path: Path | None, split: str, *, steps: int, framing: Framing, seed: int
) -> FrameDataset:
    """Two classes: events in the upper or in the lower half."""
    rng = np.random.default_rng([seed, split == "test"])
    labels = np.arange(24) % 2
    frames = rng.poisson(0.2, (24, steps, 2, 16, 16)).astype(np.uint8)
    frames[labels == 0, :, :, :8] += 1
    frames[labels == 1, :, :, 8:] += 1
    return FrameDataset("blobs", "random numbers", ("up", "down"), frames, labels)


if "blobs" not in DATA:
    DATA.add("blobs", DataEntry("two blobs", "nothing", _open_blobs))

SETTINGS: dict[str, Any] = {
    "model": "max_former_digits",
    "options": {"dim": 16, "heads": 2, "image_size": (16, 16), "num_classes": 2},
    "data": {"spec": "blobs", "steps": 2, "train_seeds": (0, 1)},
    "augment": {"shift": 1.0, "rotate": 5.0, "scale": 0.05, "shear": 2.0},
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 0.01,
    "warmup_epochs": 0.5,
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "ema_decay": 0.5,
}


def on_threads() -> Recipe:
    """For two threads of one process."""
    return parse_recipe(SETTINGS | {"workers": 2}, "tiny")


def on_devices(**changes: Any) -> Recipe:
    """For devices, with all that is random in it, in micro-batches of four."""
    told = {
        "engine": "devices",
        "micro_batch_size": 4,
        "mix": {"mixup": 0.5, "cutmix": 0.5, "off_epoch": 2},
        "augment": {"shift": 1.0, "flip": 0.5, "policy": "wide"},
    }
    return parse_recipe(SETTINGS | told | changes, "tiny on devices")
