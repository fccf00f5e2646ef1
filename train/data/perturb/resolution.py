"""A sensor of fewer pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events


@perturbation(
    "resolution", "a sensor of larger pixels", "pixels joined per side", clean=1.0, whole=True
)
def resolution(events: Events, level: float, rng: np.random.Generator, setting: Setting) -> Events:
    """Join blocks of `level` x `level` pixels and forget where in its block an event lay.

    So that the network still fits, each event is placed back on the grid at a random pixel of its
    block: their number stays, and so does the extent of what is seen. Blocks at the right and lower
    edge are cut off by it.

    Not by Tonic's `Downsample`, whose products with 1 / level round off the grid (at 49).
    """
    width, height, _ = setting.sensor_size
    changed, side = events.copy(), int(level)
    changed["x"] = _within_block(events["x"], side, width, rng)
    changed["y"] = _within_block(events["y"], side, height, rng)
    return changed


def _within_block(
    place: NDArray[np.int16], side: int, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    start = place.astype(np.int64) // side * side
    return rng.integers(start, np.minimum(start + side, size))
