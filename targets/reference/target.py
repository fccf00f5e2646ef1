"""What the registry of targets calls; imported when the target is used."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spikeport.convert import Executor, Graph
from spikeport.targets.reference import ReferenceExecutor, ReferenceLowered, lower

load = ReferenceLowered.load


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    return ReferenceExecutor(graph)


def missing() -> str:
    return ""


__all__ = ["executor", "load", "lower", "missing"]
