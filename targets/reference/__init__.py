"""The reference: the float network itself, fast, on a CPU or GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spikeport.core.lazy import lazy

if TYPE_CHECKING:
    from spikeport.targets.reference.executor import ReferenceExecutor
    from spikeport.targets.reference.lowered import ReferenceLowered, lower
    from spikeport.targets.reference.report import ReferenceReport
    from spikeport.targets.reference.rounding import Flips, flips

_PLACES = {
    "ReferenceExecutor": "executor",
    "Flips": "rounding",
    "flips": "rounding",
    "ReferenceLowered": "lowered",
    "lower": "lowered",
    "ReferenceReport": "report",
}

__all__ = [
    "Flips",
    "ReferenceExecutor",
    "ReferenceLowered",
    "ReferenceReport",
    "flips",
    "lower",
]

__getattr__ = lazy(__name__, _PLACES)
