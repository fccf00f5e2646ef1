"""From sensor to frame."""

from __future__ import annotations

import numpy as np
import pytest
from event_sources import steady
from hypothesis import given
from hypothesis import strategies as st

from spikeport.core.errors import UnknownNameError, UsageError
from spikeport.train.data.frames import to_frames
from spikeport.train.data.recordings import EVENT_DTYPE
from spikeport.train.data.stream import ByCount, FrameCounter, cut, make_fit


@given(
    how=st.sampled_from(["crop", "downsample"]),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    more=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    seed=st.integers(0, 99),
)
def test_each_event_is_counted_where_the_rule_says(
    how: str, size: tuple[int, int], more: tuple[int, int], seed: int
) -> None:
    sensor = (size[0] + more[0], size[1] + more[1])
    rng = np.random.default_rng(seed)
    events = np.zeros(60, EVENT_DTYPE)
    events["x"], events["y"] = rng.integers(0, sensor[0], 60), rng.integers(0, sensor[1], 60)
    events["p"] = rng.integers(0, 2, 60)
    counter = FrameCounter(make_fit(how, sensor, (2, size[1], size[0])))
    counter.add(events[:25])
    counter.add(events[25:])
    expected, outside = np.zeros((2, size[1], size[0]), int), 0
    for x, y, _, p in events.tolist():
        if how == "crop":
            x, y = x - (sensor[0] - size[0]) // 2, y - (sensor[1] - size[1]) // 2
            if not (0 <= x < size[0] and 0 <= y < size[1]):
                outside += 1
                continue
        else:
            x, y = int(x * size[0] / sensor[0]), int(y * size[1] / sensor[1])
        expected[int(p), y, x] += 1
    assert (counter.events, counter.outside) == (60, outside)
    np.testing.assert_array_equal(counter.take(), expected)
    assert counter.events == 0 and not counter.take().any()


def test_windows_of_equal_counts_are_the_frames_that_networks_are_trained_on() -> None:
    events = steady(120)
    counter, frames = FrameCounter(make_fit("exact", (8, 8), (2, 8, 8))), []
    for each in cut(np.array_split(events, 7), ByCount(30)):
        counter.add(each.events)
        if each.last:
            frames.append(counter.take())
    np.testing.assert_array_equal(np.stack(frames), to_frames(events, (8, 8, 2), 4, "count"))


def test_what_was_done_is_said() -> None:
    assert "cropped to 128 x 128 pixels from (109, 66)" in str(
        make_fit("crop", (346, 260), (2, 128, 128))
    )
    assert "2.7 x 2.03 pixels" in str(make_fit("downsample", (346, 260), (2, 128, 128)))
    # An unstated sensor is the network's.
    assert make_fit("exact", None, (2, 8, 9)).sensor == (9, 8)


@pytest.mark.parametrize(
    ("how", "sensor", "shape", "why"),
    [
        ("exact", (346, 260), (2, 128, 128), "the network reads 128 x 128"),
        ("crop", (100, 260), (2, 128, 128), "fewer than the 128 x 128"),
        ("downsample", (346, 100), (2, 128, 128), "fewer than the 128 x 128"),
        ("crop", None, (2, 128, 128), "does not state the size"),
        ("exact", (8, 8), (3, 8, 8), "OFF and ON"),
        ("exact", (8, 8), (64,), "OFF and ON"),
        ("exact", (32767, 32767), (2, 32767, 32767), "more than any event camera"),
        ("exact", None, (2, 32767, 32767), "more than any event camera"),
        ("downsample", (32767, 32767), (2, 8, 8), "more than any event camera"),
    ],
)
def test_what_does_not_fit_is_refused(
    how: str, sensor: tuple[int, int] | None, shape: tuple[int, ...], why: str
) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        make_fit(how, sensor, shape)
    assert caught.value.fix


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="fit"):
        make_fit("croop", (8, 8), (2, 8, 8))
