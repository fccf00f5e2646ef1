"""A data set and a recipe small enough to train on within a second."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

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


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    if "blobs" not in DATA:
        DATA.add("blobs", DataEntry("two blobs", "nothing", _open_blobs))
    settings = {
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
        "workers": 2,
    }
    return parse_recipe(settings, "tiny")
