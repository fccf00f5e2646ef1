"""Predictions while events arrive: equal to the whole run, on time, in bounded memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from event_sources import Packets, steady, write_long_evt3, write_long_npz
from stepped_nets import everything, plain

import spikeport
from spikeport.convert import Graph, Interpreter, StepInterpreter
from spikeport.convert.domain import Domain
from spikeport.convert.ops import Input, Scale
from spikeport.core.errors import CheckFailed, FileError, UnknownNameError, UsageError
from spikeport.streaming import StateRule, Stream
from spikeport.streaming.latency import Latencies
from spikeport.train.data.frames import to_frames
from spikeport.train.data.recordings import Events
from spikeport.train.data.stream import FileSource

EVENTS = steady(200)
"""One per ms for 200 ms."""


class Clock:
    """Moves when somebody sleeps, or works."""

    def __init__(self) -> None:
        self.time = 100.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.time += seconds


class Slow(StepInterpreter):
    """Takes so long for each step."""

    def __init__(self, clock: Clock, seconds: float, graph: Graph | None = None) -> None:
        super().__init__(graph or plain())
        self.clock, self.seconds = clock, seconds

    def step(self, frame: torch.Tensor, tap: object = None) -> torch.Tensor:
        self.clock.time += self.seconds
        return super().step(frame, tap)  # type: ignore[arg-type]


def frames_of(events: Events, every: int) -> torch.Tensor:
    """Frames `[T, 1, 2, 8, 8]` of so many events each, float64."""
    counts = to_frames(events, (8, 8, 2), len(events) // every, "count")
    return torch.from_numpy(counts.astype(np.float64)).unsqueeze(1)


@pytest.mark.parametrize("graph", [everything(), plain()], ids=["mean", "per-step"])
@pytest.mark.parametrize("window", ["20ms", "20events"])
def test_scores_are_those_of_the_whole_run_to_the_last_bit(graph: Graph, window: str) -> None:
    executor = StepInterpreter(graph, torch.float64)
    said = list(Stream(Packets(np.array_split(EVENTS, 7)), executor, window))
    x = frames_of(EVENTS, 20)
    assert len(said) == len(x) == 10
    for steps, each in enumerate(said, 1):
        whole = Interpreter(graph, torch.float64).run(x[:steps])
        expected = whole[-1] if graph[graph.outputs[0]].per_step else whole
        assert each.scores == tuple(expected[0].tolist())
        assert each.label == int(expected.argmax()) and each.score == float(expected.max())
        assert (each.window, each.step, each.events, each.outside) == (steps - 1, steps, 20, 0)


@pytest.mark.parametrize("target", ["reference", "onnx"])
def test_targets_say_the_same(target: str) -> None:
    ours = list(spikeport.stream(Packets([EVENTS]), everything(), "20ms", target=target))
    expected = list(Stream(Packets([EVENTS]), StepInterpreter(everything()), "20ms"))
    for left, right in zip(ours, expected, strict=True):
        assert left.scores == pytest.approx(right.scores, abs=1e-5)
        assert left.spike_rate == pytest.approx(right.spike_rate, abs=1e-9)
    assert 0.02 < expected[-1].spike_rate < 0.98


def test_the_state_goes_back_to_rest_every_few_windows() -> None:
    executor = StepInterpreter(everything(), torch.float64)
    stream = Stream(Packets([EVENTS]), executor, "20ms", state="reset:3")
    said = list(stream)
    assert [each.step for each in said] == [1, 2, 3, 1, 2, 3, 1, 2, 3, 1]
    whole = Interpreter(everything(), torch.float64).run(frames_of(EVENTS, 20)[3:6])
    assert said[5].scores == tuple(whole[0].tolist())
    assert stream.summary().resets == 3


def test_the_state_goes_back_to_rest_after_a_gap() -> None:
    parts = [steady(30), steady(30, first=500_000)]
    stream = Stream(Packets(parts), StepInterpreter(plain()), "10ms", state="gap:100ms,reset:2")
    said = list(stream)
    assert [each.step for each in said] == [1, 2, 1, 1, 2, 1]
    assert [each.start_us for each in said] == [0, 10_000, 20_000, 500_000, 510_000, 520_000]
    assert [each.complete for each in said] == [True, True, False] * 2
    assert stream.summary().resets == 3


def test_kept_states_see_the_empty_windows_of_a_gap() -> None:
    parts = [steady(10), steady(10, first=50_000)]
    said = list(Stream(Packets(parts), StepInterpreter(plain()), "10ms"))
    assert [each.events for each in said] == [10, 0, 0, 0, 0, 10]
    assert said[-1].step == 6


def test_at_full_speed_nothing_is_dropped_and_latency_is_the_work() -> None:
    clock = Clock()
    stream = Stream(Packets([EVENTS]), Slow(clock, 0.5), "20ms", clock=clock)
    assert [round(each.latency_s, 9) for each in stream] == [0.5] * 10
    summary = stream.summary()
    assert (summary.windows, summary.predictions, summary.dropped_windows) == (10, 10, 0)
    assert summary.wall_s == pytest.approx(5.0)
    assert summary.real_time_factor == pytest.approx(0.2 / 5)
    assert summary.events_per_second == pytest.approx(40)
    assert summary.latency_s == {"p50": 0.5, "p95": 0.5, "max": 0.5}


def test_a_fast_network_waits_for_the_camera() -> None:
    clock = Clock()
    stream = Stream(Packets([EVENTS]), Slow(clock, 0.003), "20ms", speed="real", clock=clock)
    assert [round(each.latency_s, 9) for each in stream] == [0.003] * 10
    assert stream.summary().dropped_windows == 0
    assert clock.time == pytest.approx(100.2 + 0.003)


def test_a_slow_network_drops_whole_windows_and_says_so() -> None:
    """Windows end every 20 ms, the network takes 50 ms, and 65 ms are allowed."""
    clock = Clock()
    stream = Stream(
        Packets([EVENTS]), Slow(clock, 0.05), "20ms", speed="real", max_lag="65ms", clock=clock
    )
    said = list(stream)
    # By hand: start at max(end of window, end of the work before), dropped if later than 65 ms.
    busy, expected = 0.0, []
    for number in range(10):
        due = 0.02 * (number + 1)
        if busy - due > 0.065:
            continue
        busy = max(due, busy) + 0.05
        expected.append((number, round(busy - due, 9)))
    assert [(each.window, round(each.latency_s, 9)) for each in said] == expected
    summary = stream.summary()
    assert 0 < summary.dropped_windows == 10 - len(said)
    assert summary.dropped_events == 20 * summary.dropped_windows
    assert summary.windows == 10 and summary.events == 200
    assert all(each.latency_s <= 0.065 + 0.05 + 1e-9 for each in said)
    # The network takes no step for what was dropped.
    assert [each.step for each in said] == list(range(1, len(said) + 1))


def test_the_time_of_dropped_windows_passes_for_the_clock_too() -> None:
    """Or a network that is too slow would be said to be faster than the recording."""
    clock = Clock()

    class Stuck(Packets):
        def packets(self) -> Iterator[Events]:
            for packet in super().packets():
                yield packet
                clock.time += 3.0

    packets = Stuck([EVENTS[:41], EVENTS[41:]])
    stream = Stream(packets, Slow(clock, 0.001), "20ms", speed="real", clock=clock)
    assert len(list(stream)) == 2
    summary = stream.summary()
    assert summary.dropped_windows == 8 and summary.wall_s == pytest.approx(6.04, abs=0.01)
    assert summary.real_time_factor == pytest.approx(0.2 / summary.wall_s)


def test_a_gap_in_dropped_windows_still_resets() -> None:
    clock = Clock()
    parts = [steady(30), steady(10, first=135_000), steady(100, first=300_000)]
    stream = Stream(
        Packets(parts), Slow(clock, 0.15), "10ms", speed="real", state="gap:100ms",
        max_lag="1ms", clock=clock,
    )  # fmt: skip
    said = list(stream)
    assert said[0].step == 1 and said[1].start_us >= 300_000 and said[1].step == 1


def test_a_camera_that_waits_for_its_first_event_is_not_late() -> None:
    clock = Clock()

    class Waiting(Packets):
        def packets(self) -> Iterator[Events]:
            clock.time += 30.0
            yield from super().packets()

    stream = Stream(Waiting([EVENTS]), Slow(clock, 0.001), "20ms", speed="real", clock=clock)
    assert len(list(stream)) == 10


def test_the_summary_of_a_broken_off_stream_is_of_what_came() -> None:
    stream = Stream(Packets([EVENTS]), StepInterpreter(plain()), "20ms")
    for _, each in zip(range(3), stream, strict=False):
        assert each.step
    assert stream.summary().predictions == 3


def test_no_events_are_no_predictions() -> None:
    stream = Stream(Packets([]), StepInterpreter(plain()), "20ms")
    assert list(stream) == []
    summary = stream.summary()
    assert (summary.windows, summary.events, summary.latency_s) == (0, 0, None)


def test_a_crop_is_counted() -> None:
    stream = Stream(
        Packets([steady(200, side=16)], (16, 16)), StepInterpreter(plain()), "50ms", fit="crop"
    )
    said = list(stream)
    inside = [int(e["x"] in range(4, 12) and e["y"] in range(4, 12)) for e in steady(200, side=16)]
    assert [each.outside for each in said] == [
        50 - sum(inside[i : i + 50]) for i in range(0, 200, 50)
    ]
    assert stream.summary().outside == 200 - sum(inside)
    assert "cropped" in stream.summary().fit


def refused(**options: object) -> Stream:
    graph = options.pop("graph", plain())
    source = options.pop("source", Packets([EVENTS]))
    return spikeport.stream(source, graph, **options)  # type: ignore[arg-type]


def test_what_was_repaired_in_a_camera_is_in_the_summary() -> None:
    swapped = EVENTS.copy()
    swapped[[2, 3]] = swapped[[3, 2]]
    stream = refused(source=Packets([swapped]))
    assert len(list(stream)) == 10
    assert stream.summary().repairs == ("1 events out of order were sorted by time",)


@pytest.mark.parametrize("state", ["", "keep,reset:2", "reset", "reset:0", "reset:-1", "gap:5",
                                   "reset:2,reset:3", "never"])  # fmt: skip
def test_states_that_say_nothing_are_refused(state: str) -> None:
    with pytest.raises(UsageError) as caught:
        StateRule.parse(state)
    assert caught.value.fix


def test_states_are_told() -> None:
    assert str(StateRule.parse("keep")) == "kept from the first event on"
    told = "reset every 4 windows and reset after 100 ms without events"
    assert str(StateRule.parse("reset:4,gap:100ms")) == told


def test_networks_with_a_number_of_steps_must_be_reset() -> None:
    for state in ("keep", "reset:6", "gap:1s"):
        with pytest.raises(UsageError, match="made for 5") as caught:
            refused(graph=everything(steps=5), state=state)
        assert "reset:5" in caught.value.fix
    assert len(list(refused(graph=everything(steps=5), state="reset:5"))) == 10


def test_outputs_that_are_no_scores_are_refused() -> None:
    graph = Graph(outputs=("out",))
    graph.add("x", Input((2, 8, 8), Domain.GRADED, per_step=True))
    graph.add("out", Scale(2.0), ["x"])
    with pytest.raises(UsageError, match="no scores of classes"):
        refused(graph=graph)


def test_scores_that_are_not_finite_are_told() -> None:
    class Broken(StepInterpreter):
        def step(self, frame: torch.Tensor, tap: object = None) -> torch.Tensor:
            return super().step(frame) * float("nan")

    with pytest.raises(CheckFailed, match="puts out") as caught:
        list(Stream(Packets([EVENTS]), Broken(plain()), "20ms"))
    assert caught.value.where == "window 0"


def test_unknown_speeds_and_contradicting_sensors_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="speed"):
        refused(speed="reel")
    with pytest.raises(UsageError, match="the source states 8 x 8"):
        refused(source=Packets([EVENTS], (8, 8)), sensor_size=(9, 9))
    with pytest.raises(UsageError, match="the network reads 8 x 8"):
        refused(source=Packets([EVENTS], (16, 8)))


def test_events_outside_of_an_unstated_sensor_are_refused() -> None:
    with pytest.raises(FileError, match="outside the sensor of 8"):
        list(refused(source=Packets([steady(50, side=20)])))


# -- memory -----------------------------------------------------------------------------------


def peak_of(path: Path) -> tuple[int, int]:
    """Bytes that Python and numpy hold at most, and the number of events."""
    stream = Stream(FileSource(path), StepInterpreter(plain()), "200ms", state="reset:8")
    iterator = iter(stream)
    next(iterator)  # what is made once
    tracemalloc.start()
    for _ in iterator:
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, stream.summary().events


@pytest.mark.parametrize(
    ("write", "counts"),
    [
        (write_long_evt3, (200_000, 800_000)),
        (write_long_npz, (900_000, 1_800_000)),
        pytest.param(write_long_evt3, (200_000, 30_000_000), marks=pytest.mark.slow),
    ],
    ids=["evt3", "npz", "very-long"],
)
def test_memory_does_not_grow_with_the_recording(
    write: object, counts: tuple[int, int], tmp_path: Path
) -> None:
    peaks = []
    for count in counts:
        write(tmp_path / "long", count)  # type: ignore[operator]
        peak, events = peak_of(tmp_path / "long")
        assert events == count
        peaks.append(peak)
    # Arrays of all events would add 13 bytes for each.
    assert peaks[1] - peaks[0] < 2 * (counts[1] - counts[0])
    assert peaks[1] < 1.25 * peaks[0]


def test_latencies_are_within_a_percent_of_the_quantiles() -> None:
    seconds = np.random.default_rng(0).lognormal(-5, 1, 5000)
    found = Latencies()
    for each in seconds:
        found.add(float(each))
    assert found.quantile(0.5) == pytest.approx(np.quantile(seconds, 0.5), rel=0.011)
    assert found.quantile(0.95) == pytest.approx(np.quantile(seconds, 0.95), rel=0.011)
    assert found.figures()["max"] == seconds.max()
