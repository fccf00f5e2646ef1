"""What a stream says: after each window, and at the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Prediction:
    """What the network says after one window.

    Attributes:
        window: its number, from 0; numbers of dropped windows are missing.
        start_us, end_us: time stamps of the recording.
        complete: false where the recording or a gap cut the window short.
        events: in the window; outside: of these, how many lie outside of a crop.
        events_per_second: events by the duration of the window; None if it has none.
        step: number of the time step since rest, from 1. A network that was trained on T steps is
            at its best at step T.
        label: the class of the largest score.
        score: that score; scores: of all classes, as the network puts them out. Behind a mean over
            time they are those of the steps since rest.
        spike_rate: spikes per neuron in this step, from 0 to 1.
        latency_s: at real speed from the end of the window to this prediction, else what it took
            to compute it.
    """

    window: int
    start_us: int
    end_us: int
    complete: bool
    events: int
    outside: int
    events_per_second: float | None
    step: int
    label: int
    score: float
    scores: tuple[float, ...]
    spike_rate: float
    latency_s: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Summary:
    """A whole stream, or as much of it as there was.

    Attributes:
        windows: that the events made; predictions: of these, how many the network saw.
        dropped_windows, dropped_events: that it was too slow for; none at full speed.
        events: in all windows; outside: of these, outside of a crop.
        resets: how often the network went back to rest, the start not counted.
        recorded_s: from the start of the first window to the end of the last one.
        wall_s: from the first packet to the last prediction, or the last window that was dropped.
        real_time_factor: recorded by wall time; None without time.
        events_per_second: of those that were not dropped, by wall time.
        spike_rate: mean over the predictions.
        latency_s: quantiles 0.5 and 0.95 (within 1 %) and the largest; None without predictions.
        repairs: what was changed in the recording, one sentence each.
    """

    windows: int
    predictions: int
    dropped_windows: int
    dropped_events: int
    events: int
    outside: int
    resets: int
    recorded_s: float
    wall_s: float
    real_time_factor: float | None
    events_per_second: float | None
    spike_rate: float | None
    latency_s: dict[str, float] | None
    window: str
    state: str
    fit: str
    speed: str
    repairs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
