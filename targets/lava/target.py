"""What the registry of targets calls; imported when the target is used."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spikeport.convert import Executor, Graph, StepExecutor
from spikeport.targets.lava import LavaArtefact, check, lower
from spikeport.targets.lava.shim import lava_missing
from spikeport.targets.lava.stepping import IntegerStepExecutor

load, missing = LavaArtefact.load, lava_missing


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    return lower(graph, calibration()).executor()


def stepper(graph: Graph) -> StepExecutor:
    return IntegerStepExecutor(graph)


__all__ = ["check", "executor", "load", "lower", "missing", "stepper"]
