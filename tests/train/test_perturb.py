"""Disturbed recordings: each kind does what it says, in any order of asking."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.data import open_data
from spikeport.train.data.frames import to_frames
from spikeport.train.data.perturb import PERTURBATIONS, Setting, perturb, perturbed_frames
from spikeport.train.data.recordings import EVENT_DTYPE, Events

W, H = 20, 12
SETTING = Setting((W, H, 2), seed=5)
LEVELS = {
    "drop": 0.3,
    "noise": 20.0,
    "hot-pixels": 4.0,
    "time-jitter": 2.0,
    "flip": 0.3,
    "resolution": 3.0,
    "spatial-jitter": 1.5,
}


def recording(count: int = 4000, seed: int = 0) -> Events:
    rng = np.random.default_rng(seed)
    events = np.zeros(count, EVENT_DTYPE)
    events["x"], events["y"] = rng.integers(W, size=count), rng.integers(H, size=count)
    # Many events share a time, so that a sort that is not stable would show.
    events["t"] = np.sort(rng.integers(0, 300, size=count)) * 1000
    events["p"] = rng.integers(2, size=count)
    return events


def test_every_disturbance_is_tested_here() -> None:
    assert set(LEVELS) == set(PERTURBATIONS)


@pytest.mark.parametrize("name", LEVELS)
@settings(max_examples=15, deadline=None)
@given(count=st.integers(0, 60), seed=st.integers(0, 99), share=st.floats(0, 1))
def test_what_comes_out_is_a_recording(name: str, count: int, seed: int, share: float) -> None:
    entry, events = PERTURBATIONS[name], recording(count, seed)
    level = entry.clean + share * (LEVELS[name] - entry.clean)
    level = round(level) if entry.whole else level
    before = events.copy()
    found = perturb(events, name, level, SETTING, 3)
    assert np.array_equal(events, before)
    assert found.dtype == EVENT_DTYPE
    assert (np.diff(found["t"]) >= 0).all()
    assert ((found["x"] >= 0) & (found["x"] < W) & (found["y"] >= 0) & (found["y"] < H)).all()


@pytest.mark.parametrize("name", LEVELS)
def test_the_clean_level_changes_nothing_and_others_do(name: str) -> None:
    events = recording()
    assert perturb(events, name, PERTURBATIONS[name].clean, SETTING, 0) is events
    assert not np.array_equal(perturb(events, name, LEVELS[name], SETTING, 0), events)


@pytest.mark.parametrize("name", LEVELS)
def test_random_numbers_follow_from_seed_and_recording_alone(name: str) -> None:
    def disturbed(index: int, seed: int = 5) -> Events:
        return perturb(recording(), name, LEVELS[name], Setting((W, H, 2), seed), index)

    first = disturbed(0)
    np.random.seed(1)
    state = np.random.get_state()[1].tolist()
    disturbed(1)
    assert np.random.get_state()[1].tolist() == state
    assert np.array_equal(disturbed(0), first)
    assert not np.array_equal(disturbed(1), first)
    assert not np.array_equal(disturbed(0, seed=6), first)


def test_drop_loses_that_share_and_keeps_the_rest_in_order() -> None:
    events = recording()
    some, more = (perturb(events, "drop", level, SETTING, 0) for level in (0.25, 0.5))
    assert (len(some), len(more)) == (3000, 2000)
    assert not len(perturb(events, "drop", 1.0, SETTING, 0))
    # What is lost at one level is lost at higher ones too.
    left: dict[Any, int] = {}
    for event in some.tolist():
        left[event] = left.get(event, 0) + 1
    for event in more.tolist():
        left[event] -= 1
    assert min(left.values()) >= 0


def test_noise_has_its_rate_and_both_polarities_everywhere() -> None:
    events = recording(200)
    found = perturb(events, "noise", 100.0, SETTING, 0)
    added = len(found) - len(events)
    duration = (events["t"][-1] - events["t"][0] + 1) / 1e6
    expected = 100 * W * H * duration
    assert abs(added - expected) < 5 * np.sqrt(expected)
    assert abs(found["p"].mean() - 0.5) < 0.04
    assert len(np.unique(found["y"].astype(int) * W + found["x"])) == W * H
    assert (found["t"][0], found["t"][-1]) == (events["t"][0], events["t"][-1])


def test_hot_pixels_are_those_of_the_sensor_at_their_rate() -> None:
    def places(index: int, count: int) -> dict[tuple[int, int], int]:
        events = recording(50, index)
        found = perturb(events, "hot-pixels", count, Setting((W, H, 2), 5, hot_rate=2000), index)
        pixels = np.stack([found["x"], found["y"]], 1)
        unique, counts = np.unique(pixels, axis=0, return_counts=True)
        hot = counts > 100
        return {tuple(map(int, p)): int(n) for p, n in zip(unique[hot], counts[hot], strict=True)}

    four, other, two = places(0, 4), places(1, 4), places(0, 2)
    assert len(four) == 4
    assert set(four) == set(other)
    assert set(two) < set(four)
    for counted in four.values():
        assert abs(counted - 2000 * 0.3) < 5 * np.sqrt(600) + 30


def test_time_jitter_has_its_deviation_and_loses_nothing() -> None:
    events = recording()
    events["t"] = 3000
    found = perturb(events, "time-jitter", 2.0, SETTING, 0)
    assert len(found) == len(events)
    assert (found["t"] < 0).any()
    assert abs(found["t"].mean() - 3000) < 5 * 2000 / np.sqrt(4000)
    assert abs(found["t"].std() - 2000) < 5 * 2000 / np.sqrt(8000)


def test_flip_is_per_event() -> None:
    events = recording()
    found = perturb(events, "flip", 0.3, SETTING, 0)
    flipped = (found["p"] != events["p"]).mean()
    assert abs(flipped - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 4000)
    for field in "xyt":
        assert np.array_equal(found[field], events[field])
    assert np.array_equal(perturb(events, "flip", 1.0, SETTING, 0)["p"], ~events["p"])


@pytest.mark.parametrize("side", [2, 3, 7, 49])
def test_resolution_keeps_the_block_and_forgets_the_place_within(side: int) -> None:
    events = recording()
    found = perturb(events, "resolution", side, SETTING, 0)
    for field, size in (("x", W), ("y", H)):
        assert np.array_equal(found[field] // side, events[field] // side)
        # Every place within a block is as likely.
        within = np.bincount(found[field][events[field] < side], minlength=size)
        assert (within[: min(side, size)] > 0).all()
    assert np.array_equal(found["t"], events["t"]) and np.array_equal(found["p"], events["p"])


def test_spatial_jitter_has_its_deviation_and_loses_what_leaves() -> None:
    events = recording()
    assert np.array_equal(perturb(events, "spatial-jitter", 0.05, SETTING, 0), events)
    events["x"], events["y"] = 10, 6
    found = perturb(events, "spatial-jitter", 1.0, SETTING, 0)
    assert len(found) == len(events)
    assert abs(found["x"].mean() - 10) < 0.1
    # Rounding adds 1/12 to the variance.
    assert abs(found["x"].astype(float).var() - 1 - 1 / 12) < 0.15
    assert len(perturb(events, "spatial-jitter", 20.0, SETTING, 0)) < 2000


@pytest.mark.parametrize(
    ("name", "level", "why"),
    [
        ("drop", 1.5, "0 to 1"),
        ("drop", -0.1, "0 to 1"),
        ("noise", float("nan"), "0 or more"),
        ("noise", float("inf"), "0 or more"),
        ("noise", 1e12, "lower level"),
        ("hot-pixels", 2.5, "whole numbers"),
        ("hot-pixels", W * H + 1, "do not fit"),
        ("resolution", 0, "1 or more"),
        ("time-jitter", 1e9, "0 to 1e"),
    ],
)
def test_levels_without_meaning_are_refused(name: str, level: float, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        perturb(recording(100), name, level, SETTING, 0)


def test_other_refusals() -> None:
    with pytest.raises(UnknownNameError, match="drop"):
        perturb(recording(10), "dorp", 0.1, SETTING, 0)
    with pytest.raises(UsageError, match="cannot fire"):
        Setting((W, H, 2), hot_rate=-1.0)
    with pytest.raises(ValueError, match="twice"):
        PERTURBATIONS.add("drop", PERTURBATIONS["drop"])


def test_frames_of_the_clean_level_are_those_of_the_data() -> None:
    for framing in ("count", "time"):
        data = open_data("digits", "test", steps=4, framing=framing)
        again = pickle.loads(pickle.dumps(data))  # what worker processes are given
        for index in (0, 7, 999):
            frames = perturbed_frames(again, index, "drop", 0, framing=framing)
            assert np.array_equal(frames, data.frames[index])
            assert data.events is not None
            whole = to_frames(data.events[index], data.events.sensor_size, 4, framing)
            assert np.array_equal(whole, data.frames[index])
    lost = perturbed_frames(data, 0, "drop", 0.5, framing="time")
    assert abs(2 * int(lost.sum()) - int(data.frames[0].sum())) <= 1


def test_frames_without_recordings_are_refused() -> None:
    data = open_data("digits", "test", steps=2)
    with pytest.raises(UsageError, match="without recordings"):
        perturbed_frames(replace(data, events=None), 0, "drop", 0.1, framing="count")


def test_why_some_transforms_of_tonic_are_not_used() -> None:
    """Should one of these fail, Tonic was repaired, and ours can go."""
    from tonic import transforms

    events = recording()
    events["x"] = 10
    quiet = events.copy()
    quiet["p"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        noisy = transforms.UniformNoise((W, H, 2), 1000)(quiet)
        flipped = {int(transforms.RandomFlipPolarity(0.5)(quiet)["p"].sum()) for _ in range(20)}
        moved = transforms.SpatialJitter((W, H, 2), 1e-6, 1e-6)(events)
        jittered = transforms.TimeJitter(50_000.0)(events)
        wide = np.zeros(64, EVENT_DTYPE)
        wide["x"] = np.arange(64)
        coarse = transforms.Downsample(spatial_factor=1 / 49)(wide)
    assert noisy["p"].sum() == 1000, "all noise is ON"
    assert flipped <= {0, 4000}, "all or nothing"
    assert 0.4 < (moved["x"] != 10).mean() < 0.6, "half of them move, however small the deviation"
    assert len(jittered) < 4000 and (np.diff(jittered["t"]) < 0).any(), "drops, and does not sort"
    assert coarse["x"][49] == 0, "off the grid"
