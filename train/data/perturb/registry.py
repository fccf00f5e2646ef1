"""Which disturbances there are, and what a level of each means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite

import numpy as np

from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry
from spikeport.train.data.frames import SensorSize
from spikeport.train.data.recordings import Events

HOT_RATE = 1000.0
"""Events per second of a hot pixel, if nothing else is said."""


@dataclass(frozen=True)
class Setting:
    """What a disturbance knows besides the recording.

    Attributes:
        sensor_size: width, height and number of polarities (2).
        seed: of all that is drawn once for all recordings.
        hot_rate: events per second of a hot pixel.
    """

    sensor_size: SensorSize
    seed: int = 0
    hot_rate: float = HOT_RATE

    def __post_init__(self) -> None:
        if not (isfinite(self.hot_rate) and self.hot_rate >= 0):
            raise UsageError(
                f"a pixel cannot fire {self.hot_rate:g} times per second.",
                where="hot_rate",
                fix="Give 0 or more events per second.",
            )


Apply = Callable[[Events, float, np.random.Generator, Setting], Events]
"""(events in order of time, level, random numbers of this recording, setting) -> events, which may
be in any order."""


@dataclass(frozen=True)
class Perturbation:
    """One kind of disturbance.

    Attributes:
        description: one line for lists.
        unit: of a level.
        clean: the level at which nothing changes.
        highest: the largest level.
        whole: whether levels are whole numbers.
        apply: disturbs one recording, and leaves the one that it was given as it is.
    """

    description: str
    unit: str
    apply: Apply
    clean: float = 0.0
    highest: float = inf
    whole: bool = False

    def check(self, name: str, level: float) -> None:
        """Refuse a level that has no meaning.

        Raises:
            UsageError: it is out of range, or not whole where it must be.
        """
        in_range = isfinite(level) and self.clean <= level <= self.highest
        if in_range and (not self.whole or level == int(level)):
            return
        above = f" to {self.highest:g}" if isfinite(self.highest) else " or more"
        raise UsageError(
            f"{level:g} is no level of it.",
            where=f"{name} ({self.unit})",
            fix=f"Give {'whole numbers' if self.whole else 'numbers'}, {self.clean:g}{above}.",
        )


PERTURBATIONS: Registry[Perturbation] = Registry("perturbation")


def perturbation(
    name: str,
    description: str,
    unit: str,
    *,
    clean: float = 0.0,
    highest: float = inf,
    whole: bool = False,
) -> Callable[[Apply], Apply]:
    """Register the decorated function as the `apply` of a disturbance."""

    def add(apply: Apply) -> Apply:
        PERTURBATIONS.add(name, Perturbation(description, unit, apply, clean, highest, whole))
        return apply

    return add
