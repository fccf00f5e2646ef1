"""What the registry of targets calls; imported when the target is used."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spikeport.convert import Executor, Graph, Interpreter
from spikeport.targets.nir import check, load, lower


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    return Interpreter(lower(graph).graph)


def missing() -> str:
    return ""


__all__ = ["check", "executor", "load", "lower", "missing"]
