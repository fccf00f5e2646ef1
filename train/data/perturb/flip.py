"""Events of the wrong polarity."""

from __future__ import annotations

import numpy as np

from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events


@perturbation("flip", "events change their polarity", "probability", highest=1.0)
def flip(events: Events, level: float, rng: np.random.Generator, setting: Setting) -> Events:
    """Flip the polarity of each event with that probability, independently of the others.

    Not by Tonic's `RandomFlipPolarity`, which flips either all events of a recording or none.
    """
    changed = events.copy()
    changed["p"] ^= rng.random(len(events)) < level
    return changed
