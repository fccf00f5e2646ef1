"""Events that are lost on the way."""

from __future__ import annotations

import numpy as np

from spikeport.train.data.perturb.legacy_random import global_numbers_from
from spikeport.train.data.perturb.registry import Setting, perturbation
from spikeport.train.data.recordings import Events


@perturbation("drop", "a share of the events is lost", "share of events", highest=1.0)
def drop(events: Events, level: float, rng: np.random.Generator, setting: Setting) -> Events:
    """Lose exactly that share of the events of a recording, rounded, drawn evenly.

    By Tonic's `DropEvent`: right as it is.
    """
    # Late, since it is slow.
    from tonic.transforms import DropEvent

    with global_numbers_from(rng):
        kept: Events = DropEvent(p=level)(events)
    return kept
