"""Time surfaces, against their equation and against Tonic."""

from __future__ import annotations

import math

import event_files
import numpy as np
from tonic.transforms import ToTimesurface

from spikeport.train.data.stream import ByTime, cut
from spikeport.train.data.stream.surface import TimeSurface


def test_each_pixel_decays_since_its_last_event() -> None:
    events = event_files.random_events(300, side=6)
    surface = TimeSurface((6, 6), 30_000)
    for part in np.split(events, [10, 11, 200]):
        surface.add(part)
    expected = np.zeros((2, 6, 6))
    for x, y, t, p in events.tolist():
        expected[int(p), y, x] = math.exp(-(200_000 - t) / 30_000)
    np.testing.assert_allclose(surface.at(200_000), expected, rtol=1e-12)


def test_windows_give_the_surfaces_of_tonic() -> None:
    events = event_files.random_events(400, side=6)
    theirs = ToTimesurface(sensor_size=(6, 6, 2), dt=20_000, tau=50_000)(events)
    surface, ours = TimeSurface((6, 6), 50_000), []
    for each in cut(np.split(events, 5), ByTime(20_000)):
        surface.add(each.events)
        if each.last and each.complete:
            ours.append(surface.at(each.end))
    assert len(ours) == len(theirs) > 5
    np.testing.assert_allclose(np.stack(ours), theirs, rtol=1e-9)
