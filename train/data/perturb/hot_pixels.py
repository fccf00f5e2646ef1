"""Pixels that fire without cause."""

from __future__ import annotations

import numpy as np

from spikeport.core.errors import UsageError
from spikeport.train.data.perturb.adding import blank, check_room, duration
from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events

_PLACES = 1
"""Stream of random numbers for what belongs to the sensor."""


@perturbation("hot-pixels", "pixels that fire at a steady rate", "pixels", whole=True)
def hot_pixels(events: Events, level: float, rng: np.random.Generator, setting: Setting) -> Events:
    """Add the events of so many hot pixels, each a Poisson process of `setting.hot_rate`.

    They are a fault of the sensor, so that they are the same in all recordings, and those of one
    level are among those of higher ones. Their events are ON, as is the leak of a pixel's reset
    switch that makes them (Y. Nozaki and T. Delbruck, IEEE Trans. Electron Devices 64, 2017).

    Raises:
        UsageError: the sensor has fewer pixels.
    """
    width, height, _ = setting.sensor_size
    count = int(level)
    if count > width * height:
        raise UsageError(
            f"{count} hot pixels do not fit on a sensor of {width} x {height}.",
            where="hot-pixels",
            fix=f"Give at most {width * height}.",
        )
    if not len(events):
        return events
    order = np.random.default_rng([setting.seed, _PLACES]).permutation(width * height)
    expected = setting.hot_rate * duration(events)
    check_room("hot-pixels", expected * count)
    place = np.repeat(order[:count], rng.poisson(expected, size=count))
    added = blank(events, len(place), rng)
    added["y"], added["x"] = np.divmod(place, width)
    added["p"] = True
    return np.concatenate([events, added])
