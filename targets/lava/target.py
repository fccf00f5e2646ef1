"""What the registry of targets calls; imported when the target is used."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spikeport.convert import Executor, Graph
from spikeport.targets.lava import LavaArtefact, check, lower
from spikeport.targets.lava.shim import lava_missing

load, missing = LavaArtefact.load, lava_missing


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    return lower(graph, calibration()).executor()


__all__ = ["check", "executor", "load", "lower", "missing"]
