"""Background activity of the sensor."""

from __future__ import annotations

import numpy as np

from spikeport.train.data.perturb.adding import blank, check_room, duration
from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events


@perturbation("noise", "events at random places and times", "events per pixel and second")
def noise(events: Events, level: float, rng: np.random.Generator, setting: Setting) -> Events:
    """Add a Poisson number of events, evenly over pixels, polarities, and the time between the
    first and the last event of the recording; one without events stays so.

    Not by Tonic's `UniformNoise`: where polarities are stored as bool, all its noise is ON.
    """
    if not len(events):
        return events
    width, height, _ = setting.sensor_size
    expected = level * width * height * duration(events)
    check_room("noise", expected)
    added = blank(events, rng.poisson(expected), rng)
    added["x"] = rng.integers(width, size=len(added))
    added["y"] = rng.integers(height, size=len(added))
    added["p"] = rng.integers(2, size=len(added))
    return np.concatenate([events, added])
