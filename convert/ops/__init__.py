"""The ops of the graph, one small frozen dataclass each; `OPS` finds them by their stored name."""

from spikeport.convert.ops.avg_pool import AvgPool
from spikeport.convert.ops.base import OPS, Neuron, NeuronState, Op, Shape, Stateless, op
from spikeport.convert.ops.batch_norm import BatchNorm
from spikeport.convert.ops.conv import Conv
from spikeport.convert.ops.elementwise import Add, AddConstant, Multiply, Scale
from spikeport.convert.ops.input import Input
from spikeport.convert.ops.integrate_and_fire import IF
from spikeport.convert.ops.lif import LIF
from spikeport.convert.ops.linear import Linear
from spikeport.convert.ops.matmul import MatMul
from spikeport.convert.ops.max_pool import MaxPool
from spikeport.convert.ops.parametric_lif import ParametricLIF
from spikeport.convert.ops.reduce import Mean, Sum
from spikeport.convert.ops.time import MeanTime, RepeatTime
from spikeport.convert.ops.view import Permute, Reshape

__all__ = [
    "IF",
    "LIF",
    "OPS",
    "Add",
    "AddConstant",
    "AvgPool",
    "BatchNorm",
    "Conv",
    "Input",
    "Linear",
    "MatMul",
    "MaxPool",
    "Mean",
    "MeanTime",
    "Multiply",
    "Neuron",
    "NeuronState",
    "Op",
    "ParametricLIF",
    "Permute",
    "RepeatTime",
    "Reshape",
    "Scale",
    "Shape",
    "Stateless",
    "Sum",
    "op",
]
