"""Events that are seen by a neighbouring pixel."""

from __future__ import annotations

import numpy as np

from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events


@perturbation(
    "spatial-jitter", "places err by a Gaussian", "pixels, standard deviation", highest=1e6
)
def spatial_jitter(
    events: Events, level: float, rng: np.random.Generator, setting: Setting
) -> Events:
    """Move each event by a Gaussian along both axes, rounded to the next pixel; those that leave
    the sensor are lost.

    Not by Tonic's `SpatialJitter`, which rounds towards zero: however small the deviation, half of
    the events move by a whole pixel, and what leaves by less than one on the left stays.
    """
    width, height, _ = setting.sensor_size
    shift = np.rint(rng.normal(0.0, level, size=(2, len(events)))).astype(np.int64)
    x, y = events["x"] + shift[0], events["y"] + shift[1]
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    changed: Events = events[inside]
    changed["x"], changed["y"] = x[inside], y[inside]
    return changed
