"""What the registry of targets calls; imported when the target is used."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from spikeport.convert import Executor, Graph, StepExecutor
from spikeport.targets.onnx import OnnxExecutor, OnnxLowered, check, lower
from spikeport.targets.onnx.session import onnxruntime_missing
from spikeport.targets.onnx.stepping import OnnxStepExecutor

load, missing = OnnxLowered.load, onnxruntime_missing


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    return OnnxExecutor(graph)


def stepper(graph: Graph) -> StepExecutor:
    return OnnxStepExecutor(graph)


__all__ = ["check", "executor", "load", "lower", "missing", "stepper"]
