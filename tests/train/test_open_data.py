"""Data by name."""

from __future__ import annotations

import pytest
import torch

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.data import DATA, open_data


def test_digits_are_frames_with_labels() -> None:
    data = open_data("digits", "test", steps=4)
    frames, label = data[5]
    assert data.frame_shape == frames.shape == (4, 2, 32, 32)
    assert frames.dtype == torch.float32 and isinstance(label, int)
    assert len(data) == 1000 and len(data.classes) == 10
    assert data.name == "digits/test" and data.input_domain == "graded"
    assert "simulated events" in data.provenance


def test_batches_are_the_samples_in_order() -> None:
    data = open_data("digits", "validation", steps=2, framing="time")
    batches = list(data.batches(64, limit=100))
    assert [len(labels) for _, labels in batches] == [64, 36]
    assert torch.equal(batches[1][0][0], data[64][0])


def test_seeds_are_different_simulations_of_the_same_images() -> None:
    data, other = (open_data("digits", "validation", steps=2, seed=seed) for seed in (0, 1))
    assert (data.labels == other.labels).all()
    assert (data.frames != other.frames).any()


def test_names_that_are_not_there() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean digits"):
        open_data("digit", "test", steps=4)
    with pytest.raises(UnknownNameError, match="Did you mean test"):
        open_data("digits", "tests", steps=4)
    with pytest.raises(UnknownNameError, match="Did you mean time"):
        open_data("digits", "test", steps=4, framing="times")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="at least 1"):
        open_data("digits", "test", steps=0)
    assert all(entry.description and entry.path_means for entry in DATA.values())
