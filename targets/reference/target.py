"""What the registry of targets calls; imported when the target is used."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spikeport.convert import Executor, Graph, StepExecutor
from spikeport.targets.reference import ReferenceExecutor, ReferenceLowered, lower
from spikeport.targets.reference.stepping import ReferenceStepExecutor

load = ReferenceLowered.load


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    return ReferenceExecutor(graph)


def missing() -> str:
    return ""


def stepper(graph: Graph) -> StepExecutor:
    return ReferenceStepExecutor(graph)


__all__ = ["executor", "load", "lower", "missing", "stepper"]
