"""ONNX: the step graph for streaming, the unrolled graph for T steps, runs in onnxruntime.

Importing this package does not import onnxruntime, which only the runs need.
"""

from spikeport.targets.onnx.check import check
from spikeport.targets.onnx.errors import OnnxRunError
from spikeport.targets.onnx.executor import OnnxExecutor
from spikeport.targets.onnx.lowered import OnnxLowered, lower
from spikeport.targets.onnx.options import OnnxOptions
from spikeport.targets.onnx.report import OnnxReport

__all__ = [
    "OnnxExecutor",
    "OnnxLowered",
    "OnnxOptions",
    "OnnxReport",
    "OnnxRunError",
    "check",
    "lower",
]
