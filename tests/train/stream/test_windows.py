"""Windows, against what they say they are."""

from __future__ import annotations

import numpy as np
import pytest
from event_sources import steady
from hypothesis import given
from hypothesis import strategies as st

from spikeport.core.errors import FileError, UsageError
from spikeport.train.data.recordings import EVENT_DTYPE, Events
from spikeport.train.data.stream import (
    ByCount,
    ByTime,
    cut,
    parse_duration,
    parse_window,
)

Told = tuple[int, int, list[int], bool, bool]
"""Start, end, event times, complete, after a gap."""


def at(times: list[int]) -> Events:
    events = np.zeros(len(times), EVENT_DTYPE)
    events["t"] = times
    return events


def windows(parts: list[Events], window: ByTime | ByCount, gap: int | None = None) -> list[Told]:
    """Slices of a window put together."""
    found, times = [], list[int]()
    for each in cut(parts, window, gap):
        times += each.events["t"].tolist()
        if each.last:
            found.append((each.start, each.end, times, each.complete, each.after_gap))
            times = []
    assert not times
    return found


def expected(times: list[int], window: ByTime | ByCount, gap: int | None) -> list[Told]:
    """One event after the other."""
    runs: list[list[int]] = []
    for t in times:
        if not runs or (gap is not None and t - runs[-1][-1] >= gap):
            runs.append([])
        runs[-1].append(t)
    found: list[Told] = []
    for number, run in enumerate(runs):
        if isinstance(window, ByCount):
            groups = [run[i : i + window.events] for i in range(0, len(run), window.events)]
            spans = [(group[0], group[-1], group) for group in groups]
            whole = [len(group) == window.events for group in groups]
        else:
            count = (run[-1] - run[0]) // window.us + 1
            starts = [run[0] + i * window.us for i in range(count)]
            spans = [(s, s + window.us, [t for t in run if s <= t < s + window.us]) for s in starts]
            whole = [True] * (count - 1) + [False]
        for i, (start, end, group) in enumerate(spans):
            found.append((start, end, group, whole[i], number > 0 and i == 0))
    return found


@given(
    steps=st.lists(st.integers(0, 40), max_size=40),
    window=st.one_of(st.builds(ByTime, st.integers(1, 30)), st.builds(ByCount, st.integers(1, 12))),
    gap=st.one_of(st.none(), st.integers(1, 45)),
    borders=st.lists(st.integers(0, 40), max_size=6),
)
def test_windows_are_what_they_say_however_packets_are_cut(
    steps: list[int], window: ByTime | ByCount, gap: int | None, borders: list[int]
) -> None:
    times = (1000 + np.cumsum(steps, dtype=np.int64)).tolist()
    parts = np.split(at(times), sorted(min(each, len(times)) for each in borders))
    assert windows(parts, window, gap) == expected(times, window, gap)


def test_a_window_ends_when_the_event_behind_it_has_come() -> None:
    drawn: list[int] = []

    def packets() -> object:
        for number, packet in enumerate(np.split(steady(100), 10)):
            drawn.append(number)
            yield packet

    first = next(each for each in cut(packets(), ByTime(15_000)) if each.last)  # type: ignore[arg-type]
    assert first.end == 15_000 and drawn == [0, 1]


def test_a_quiet_scene_gives_empty_windows() -> None:
    found = windows([at([0, 100])], ByTime(10))
    assert [len(told[2]) for told in found] == [1, *[0] * 9, 1]


def test_a_jump_in_time_is_refused_unless_gaps_begin_anew() -> None:
    jump = at([0, 10**12])
    with pytest.raises(FileError, match="empty windows") as caught:
        windows([jump], ByTime(1000))
    assert "--state gap" in caught.value.fix
    assert len(windows([jump], ByTime(1000), gap=10**6)) == 2


@pytest.mark.parametrize(
    ("text", "us"), [("20ms", 20_000), ("0.5s", 500_000), (" 7 us", 7), ("1.5ms", 1500)]
)
def test_durations(text: str, us: int) -> None:
    assert parse_duration(text, "window") == us
    assert parse_window(text) == ByTime(us)


@pytest.mark.parametrize("text", ["500events", "500 events", "500event"])
def test_numbers_of_events(text: str) -> None:
    assert parse_window(text) == ByCount(500)


@pytest.mark.parametrize("text", ["", "20", "ms", "-5ms", "0ms", "0.1us", "1e3ms", "5m", "events"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no window") as caught:
        parse_window(text)
    assert "20ms" in caught.value.fix


def test_a_window_of_no_events_is_refused() -> None:
    with pytest.raises(UsageError, match="never ends"):
        parse_window("0events")


def test_windows_are_told_in_their_own_unit() -> None:
    told = [str(each) for each in (ByTime(20_000), ByTime(500), ByTime(3_000_000), ByCount(5000))]
    assert told == ["20 ms", "500 us", "3 s", "5,000 events"]
