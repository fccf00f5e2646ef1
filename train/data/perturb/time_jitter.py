"""Time stamps that are not exact."""

from __future__ import annotations

import numpy as np

from spikeport.train.data.perturb.legacy_random import global_numbers_from
from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events

_MICROSECONDS_PER_MS = 1000.0


@perturbation("time-jitter", "time stamps err by a Gaussian", "ms, standard deviation", highest=1e6)
def time_jitter(events: Events, level: float, rng: np.random.Generator, setting: Setting) -> Events:
    """Move each event in time by a Gaussian of that standard deviation; none is lost.

    By Tonic's `TimeJitter`, which is not left to drop what comes before time 0 (by default it
    does), nor to sort, since its sort does not keep the order of events of one time.
    """
    # Late, since it is slow.
    from tonic.transforms import TimeJitter

    jitter = TimeJitter(
        std=_MICROSECONDS_PER_MS * level, clip_negative=False, sort_timestamps=False
    )
    with global_numbers_from(rng):
        moved: Events = jitter(events)
    return moved
