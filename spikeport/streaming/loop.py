"""From packets of events to predictions, window by window."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.convert.stepping import StepExecutor
from spikeport.convert.streaming import step_limit
from spikeport.core.errors import CheckFailed, UnknownNameError, UsageError
from spikeport.streaming.clock import Clock, WallClock
from spikeport.streaming.latency import Latencies
from spikeport.streaming.results import Prediction, Summary
from spikeport.streaming.state import StateRule
from spikeport.targets import stepper
from spikeport.train.data.recordings import Events
from spikeport.train.data.stream import (
    CheckedSource,
    EventSource,
    FrameCounter,
    Slice,
    cut,
    make_fit,
    parse_duration,
    parse_window,
)

Speed = Literal["max", "real"]
SPEEDS: tuple[Speed, ...] = ("max", "real")


@dataclass
class _Counts:
    windows: int = 0
    predictions: int = 0
    dropped_windows: int = 0
    dropped_events: int = 0
    events: int = 0
    outside: int = 0
    resets: int = 0
    spike_rates: float = 0.0


class Stream:
    """Iterates over the predictions; `summary` may be asked for at any time.

    Memory does not grow with the stream: one packet, one frame and the states of one sample are
    held. Windows are time steps, so that each gives one frame `[1, 2, H, W]` to the network.

    Args: see `stream`.

    Attributes:
        fit: how the sensor is mapped to the network's input.
        first_us: time stamp of the first event, once it has come.
        on_frame: called with each prediction and its frame `[2, H, W]` of counts.
    """

    def __init__(
        self,
        source: EventSource,
        executor: StepExecutor,
        window: str = "20ms",
        *,
        state: str = "keep",
        fit: str = "exact",
        speed: str = "max",
        max_lag: str = "100ms",
        sensor_size: tuple[int, int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if speed not in SPEEDS:
            raise UnknownNameError("speed", speed, SPEEDS)
        self.window, self.state = parse_window(window), StateRule.parse(state)
        self._max_lag = parse_duration(max_lag, "max_lag") / 1e6
        self._executor, self._speed = executor, speed
        self._clock = clock or WallClock()
        _check_network(executor.graph, self.state)
        known = _sensor_of(source, sensor_size)
        self.fit = make_fit(fit, known, executor.graph.input.shape)
        self._source = CheckedSource(source, self.fit.sensor)
        self.on_frame: Callable[[Prediction, NDArray[Any]], None] = lambda said, frame: None
        self._counts, self._latencies = _Counts(), Latencies()
        self.first_us = self._last_us = 0
        self._began = self._ended = 0.0
        self._predictions = self._run()

    def __iter__(self) -> Iterator[Prediction]:
        return self._predictions

    def summary(self) -> Summary:
        """What has come so far."""
        counts, wall = self._counts, self._ended - self._began
        recorded = (self._last_us - self.first_us) / 1e6
        seen = counts.predictions
        return Summary(
            windows=counts.windows,
            predictions=seen,
            dropped_windows=counts.dropped_windows,
            dropped_events=counts.dropped_events,
            events=counts.events,
            outside=counts.outside,
            resets=counts.resets,
            recorded_s=recorded,
            wall_s=wall,
            real_time_factor=recorded / wall if wall > 0 else None,
            events_per_second=(counts.events - counts.dropped_events) / wall if wall > 0 else None,
            spike_rate=counts.spike_rates / seen if seen else None,
            latency_s=self._latencies.figures() if seen else None,
            window=str(self.window),
            state=str(self.state),
            fit=str(self.fit),
            speed=self._speed,
            repairs=self._source.repairs,
        )

    def _run(self) -> Iterator[Prediction]:
        counter, step, rest_due = FrameCounter(self.fit), 0, False
        self._executor.reset()
        packets = self._noting(self._source.packets())
        for each in cut(packets, self.window, self.state.gap_us):
            counter.add(each.events)
            if not each.last:
                continue
            self._last_us = each.end
            number, self._counts.windows = self._counts.windows, self._counts.windows + 1
            events, outside, frame = counter.events, counter.outside, counter.take()
            self._counts.events += events
            self._counts.outside += outside
            rest_due |= each.after_gap
            if self._comes_too_late(each):
                self._counts.dropped_windows += 1
                self._counts.dropped_events += events
                continue
            if step and (rest_due or step == self.state.every):
                self._executor.reset()
                self._counts.resets += 1
                step = 0
            step, rest_due = step + 1, False
            said = self._predict(number, each, events, outside, step, frame)
            self._counts.predictions += 1
            self._counts.spike_rates += said.spike_rate
            self._latencies.add(said.latency_s)
            self.on_frame(said, frame)
            yield said

    def _noting(self, packets: Iterator[Events]) -> Iterator[Events]:
        """The packets; times of the recording and of the clock are laid on each other."""
        for number, packet in enumerate(packets):
            if not number:
                # Not before: a camera may have waited for its first event.
                self._began = self._ended = self._clock.now()
                self.first_us = self._last_us = int(packet["t"][0])
            yield packet

    def _due(self, us: int) -> float:
        return self._began + (us - self.first_us) / 1e6

    def _comes_too_late(self, each: Slice) -> bool:
        """Whether a window is dropped; at real speed waits for one that has not come yet."""
        if self._speed == "max":
            return False
        now = self._clock.now()
        lag = now - self._due(each.end)
        if lag < 0:
            self._clock.sleep(-lag)
        if lag > self._max_lag:
            self._ended = now  # its time of the recording is counted, and so is that of the clock
            return True
        return False

    def _predict(
        self,
        number: int,
        each: Slice,
        events: int,
        outside: int,
        step: int,
        frame: NDArray[Any],
    ) -> Prediction:
        started = self._clock.now()
        rates = _Rates()
        batch = torch.from_numpy(frame.astype(np.float32)).unsqueeze(0)
        output = self._executor.step(batch, rates)
        scores = tuple(output[0].double().tolist())
        if not all(map(math.isfinite, scores)):
            raise CheckFailed(
                f"the network puts out {scores}.",
                where=f"window {number}",
                fix="Look for weights that are not finite, or reset its state now and then.",
            )
        label = max(range(len(scores)), key=scores.__getitem__)
        self._ended = self._clock.now()
        seconds = (each.end - each.start) / 1e6
        return Prediction(
            window=number,
            start_us=each.start,
            end_us=each.end,
            complete=each.complete,
            events=events,
            outside=outside,
            events_per_second=events / seconds if seconds > 0 else None,
            step=step,
            label=label,
            score=scores[label],
            scores=scores,
            spike_rate=rates.mean,
            latency_s=self._ended - (started if self._speed == "max" else self._due(each.end)),
        )


class _Rates:
    """A tap that counts spikes and neurons."""

    def __init__(self) -> None:
        self._spikes = 0.0
        self._neurons = 0

    def __call__(self, node: Node, value: torch.Tensor) -> None:
        if isinstance(node.op, Neuron):
            self._spikes += float(value.sum())
            self._neurons += value.numel()

    @property
    def mean(self) -> float:
        return self._spikes / self._neurons if self._neurons else 0.0


def _check_network(graph: Graph, rule: StateRule) -> None:
    shape = graph[graph.outputs[0]].shape
    if len(shape) != 1:
        raise UsageError(
            f"the network puts out {list(shape)}, which are no scores of classes.",
            where=graph.outputs[0],
            fix="Stream a network that ends in one score per class, or step it yourself "
            "(spikeport.targets.stepper).",
        )
    limit = step_limit(graph)
    if limit is not None and (rule.every is None or rule.every > limit):
        raise UsageError(
            f"the network is made for {limit} time steps from rest, and each window is one.",
            where="state",
            fix=f"Reset it after as many: --state reset:{limit}.",
        )


def _sensor_of(source: EventSource, given: tuple[int, int] | None) -> tuple[int, int] | None:
    """(width, height) that the source states, else what was given."""
    stated = getattr(source, "sensor_size", None)
    if stated is None:
        return given
    width, height = (int(side) for side in stated)
    if given not in (None, (width, height)):
        raise UsageError(
            f"the source states {width} x {height} pixels.",
            where="sensor_size",
            fix="Leave it out.",
        )
    return width, height


def stream(
    source: EventSource,
    model: Graph | StepExecutor,
    window: str = "20ms",
    *,
    target: str = "reference",
    state: str = "keep",
    fit: str = "exact",
    speed: str = "max",
    max_lag: str = "100ms",
    sensor_size: tuple[int, int] | None = None,
) -> Stream:
    """Predictions of a network while events arrive, one per window.

        for prediction in spikeport.stream(FileSource("street.aedat4"), graph, "20ms"):
            print(prediction.end_us, prediction.label, prediction.score)

    Args:
        source: a recording (`FileSource`), a camera, or anything with the method `packets`.
        model: a graph, or what runs it step by step.
        window: what becomes one frame and one time step: a duration ("20ms") or a number of
            events ("500events").
        target: what runs a graph; see `spikeport.targets.stepper`.
        state: "keep", "reset:N" (every N windows), "gap:100ms", or "reset:N,gap:100ms".
        fit: "exact", "crop" or "downsample", from the sensor to the network's input.
        speed: "max": as fast as the source yields, nothing is dropped. "real": not before the
            clock says so; a window whose turn comes later than `max_lag` after its end is dropped
            whole, and the network does not see that time pass.
        sensor_size: (width, height), where the source does not state it.

    Raises:
        UsageError: an option cannot be meant, or the network does not suit events.
        UnsupportedError: the graph cannot be streamed; names the node.
        CheckFailed: while iterating, scores that are not finite.
        SpikeportError: while iterating, what the source raises, or events that cannot be.
    """
    executor = stepper(model, target) if isinstance(model, Graph) else model
    return Stream(
        source,
        executor,
        window,
        state=state,
        fit=fit,
        speed=speed,
        max_lag=max_lag,
        sensor_size=sensor_size,
    )
