"""The cameras of `examples/`: stand-ins with the shape of the libraries' objects."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
from event_sources import Packets, steady
from stepped_nets import plain

import spikeport
from spikeport.streaming import Stream
from spikeport.train.data.recordings import EVENT_DTYPE

EVENTS = steady(200)
"""One per ms for 200 ms."""


def cameras() -> ModuleType:
    path = Path(__file__).parents[1] / "examples" / "cameras.py"
    spec = importlib.util.spec_from_file_location("cameras", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_cameras_of_the_documentation_are_those_of_the_example() -> None:
    root = Path(__file__).parents[1]
    page = (root / "docs" / "streaming.md").read_text()
    shown = page[page.index("```py\n") + 6 :].partition("```")[0]
    code = (root / "examples" / "cameras.py").read_text().splitlines()
    lines = [line.partition("  #")[0] for line in shown.splitlines() if line]
    assert len(lines) > 15 and set(lines) <= set(code)


def expected() -> Stream:
    return spikeport.stream(Packets([EVENTS]), plain(), "20ms")


def with_fields(names: str, types: str, renamed: dict[str, str]) -> np.ndarray:
    pairs = zip(names.split(), types.split(), strict=True)
    events = np.empty(len(EVENTS), np.dtype(list(pairs)))
    for name in events.dtype.names or ():
        events[name] = EVENTS[renamed.get(name, name)]
    return events


def test_a_camera_of_metavision() -> None:
    class EventsIterator:
        """Yields x, y, p, t; the size is height first."""

        def get_size(self) -> tuple[int, int]:
            return 8, 8

        def __iter__(self) -> Iterator[np.ndarray]:
            events = with_fields("x y p t", "<u2 <u2 <i2 <i8", {})
            yield from (events[:0], *np.array_split(events, 4))

    source = cameras().Metavision(EventsIterator())
    assert source.sensor_size == (8, 8)
    said = list(spikeport.stream(source, plain(), "20ms"))
    assert [each.scores for each in said] == [each.scores for each in expected()]


def test_a_camera_of_dv() -> None:
    class EventStore:
        def __init__(self, events: np.ndarray) -> None:
            self.events = events

        def numpy(self) -> np.ndarray:
            return self.events

    class CameraCapture:
        """Polled: None where nothing has come."""

        def __init__(self) -> None:
            events = with_fields(
                "timestamp x y polarity", "<i8 <i2 <i2 u1", {"timestamp": "t", "polarity": "p"}
            )
            self.batches = [None, *map(EventStore, np.array_split(events, 4)), None]

        def getEventResolution(self) -> tuple[int, int]:  # noqa: N802
            return 8, 8

        def isRunning(self) -> bool:  # noqa: N802
            return bool(self.batches)

        def getNextEventBatch(self) -> EventStore | None:  # noqa: N802
            return self.batches.pop(0)

    said = list(spikeport.stream(cameras().DV(CameraCapture()), plain(), "20ms"))
    assert [each.scores for each in said] == [each.scores for each in expected()]
    assert EVENT_DTYPE.names == ("x", "y", "t", "p")
