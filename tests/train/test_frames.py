"""No event is lost on the way to frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tonic.transforms
from hypothesis import given
from hypothesis import strategies as st

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.data.frames import Framing, all_frames, to_frames
from spikeport.train.data.recordings import EVENT_DTYPE, Events, Recordings, offsets_of

SENSOR = (5, 4, 2)


def _events(rows: list[tuple[int, int, int, bool]]) -> Events:
    return np.array(sorted(rows, key=lambda row: row[2]), dtype=EVENT_DTYPE)


recordings = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 50), st.booleans()), max_size=40
).map(_events)
framings = st.sampled_from(["count", "time"])


@given(recordings, st.integers(1, 9), framings)
def test_every_event_is_in_exactly_one_frame(events: Events, steps: int, framing: Framing) -> None:
    frames = to_frames(events, SENSOR, steps, framing)
    expected = np.zeros((2, 4, 5), int)
    np.add.at(expected, (events["p"].astype(int), events["y"], events["x"]), 1)
    assert frames.shape == (steps, 2, 4, 5)
    np.testing.assert_array_equal(frames.sum(0, dtype=int), expected)


@given(recordings, st.integers(1, 9))
def test_frames_by_count_differ_by_one_event_at_most(events: Events, steps: int) -> None:
    counts = to_frames(events, SENSOR, steps, "count").sum((1, 2, 3), dtype=int)
    assert counts.max() - counts.min() <= 1


@given(st.lists(recordings, min_size=1, max_size=5), st.integers(1, 6), framings)
def test_many_recordings_at_once_are_as_one_by_one(
    parts: list[Events], steps: int, framing: Framing
) -> None:
    joined: dict[str, Any] = {
        name: np.concatenate([part[name] for part in parts]) for name in "xytp"
    }
    together = Recordings(**joined, offsets=offsets_of(np.array([len(part) for part in parts])))
    frames = all_frames(together, SENSOR, steps, framing)
    for index, part in enumerate(parts):
        np.testing.assert_array_equal(frames[index], to_frames(part, SENSOR, steps, framing))
        np.testing.assert_array_equal(together[index], part)


def test_frames_by_time_cover_equal_times() -> None:
    events = _events([(0, 0, t, True) for t in (0, 1, 49, 50, 51, 99)])
    counts = to_frames(events, SENSOR, 2, "time").sum((1, 2, 3))
    assert counts.tolist() == [3, 3]


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_times_far_apart_do_not_wrap(steps: int) -> None:
    """As damaged files have them."""
    times = (-(1 << 62), -1, 0, 1 << 61, (1 << 62) - 1)
    counts = to_frames(_events([(0, 0, t, True) for t in times]), SENSOR, steps, "time")
    places = [(t - times[0]) * steps // (times[-1] - times[0] + 1) for t in times]
    assert counts.sum((1, 2, 3)).tolist() == [places.count(step) for step in range(steps)]


def test_counts_beyond_a_byte_do_not_wrap() -> None:
    events = _events([(1, 1, t, False) for t in range(70_000)])
    assert to_frames(events, SENSOR, 1, "count")[0, 0, 1, 1] == 70_000


def test_tonic_loses_the_last_event() -> None:
    """Documents why Spikeport makes its own frames; if this fails, Tonic has been repaired."""
    events = _events([(i % 5, i % 4, i, i % 2 == 0) for i in range(8)])
    by_time = tonic.transforms.ToFrame(sensor_size=SENSOR, n_time_bins=2)
    by_count = tonic.transforms.ToFrame(sensor_size=SENSOR, n_event_bins=3)
    assert by_time(events).sum() < 8
    assert by_count(events).sum() < 8
    assert to_frames(events, SENSOR, 2, "time").sum() == 8
    assert to_frames(events, SENSOR, 3, "count").sum() == 8


def test_event_dtype_is_that_of_tonic() -> None:
    import tonic.io

    assert tonic.io.events_struct == EVENT_DTYPE


def test_impossible_requests_are_refused() -> None:
    events = _events([(0, 0, 0, True), (4, 3, 5, False)])
    with pytest.raises(UsageError, match="number of frames is 0"):
        to_frames(events, SENSOR, 0, "count")
    with pytest.raises(UnknownNameError, match="count"):
        to_frames(events, SENSOR, 2, "counts")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="outside the sensor"):
        to_frames(events, (4, 4, 2), 2, "count")


def test_frames_that_no_memory_holds_are_refused() -> None:
    for sensor, steps in (((32767, 32767, 2), 1), (SENSOR, 1 << 30)):
        with pytest.raises(UsageError, match="GiB to count") as caught:
            to_frames(_events([]), sensor, steps, "count")
        assert caught.value.where == "sensor_size" and caught.value.fix
