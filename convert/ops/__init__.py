"""The ops of the graph, one small frozen dataclass each; `OPS` finds them by their stored name."""

from spikeport.convert.ops.adaptive_avg_pool import AdaptiveAvgPool
from spikeport.convert.ops.avg_pool import AvgPool
from spikeport.convert.ops.base import (
    OPS,
    Neuron,
    NeuronState,
    Op,
    ScalarNeuron,
    Shape,
    Stateful,
    Stateless,
    op,
)
from spikeport.convert.ops.batch_norm import BatchNorm
from spikeport.convert.ops.channel_neuron import ChannelNeuron
from spikeport.convert.ops.complement import Complement
from spikeport.convert.ops.concat import Concat
from spikeport.convert.ops.constants import AddConstant, AddPerStep, MultiplyConstant
from spikeport.convert.ops.conv import Conv
from spikeport.convert.ops.delay import Delay
from spikeport.convert.ops.elementwise import Add, Multiply, Scale, Subtract
from spikeport.convert.ops.euler_neuron import EulerNeuron
from spikeport.convert.ops.fourier import Fourier
from spikeport.convert.ops.input import Input
from spikeport.convert.ops.integrate_and_fire import IF
from spikeport.convert.ops.integrator import Integrator
from spikeport.convert.ops.lif import LIF
from spikeport.convert.ops.linear import Linear
from spikeport.convert.ops.matmul import MatMul
from spikeport.convert.ops.max_pool import MaxPool
from spikeport.convert.ops.parametric_lif import ParametricLIF
from spikeport.convert.ops.reduce import Mean, Sum
from spikeport.convert.ops.slice import Slice
from spikeport.convert.ops.sum_pool import SumPool
from spikeport.convert.ops.threshold import Threshold
from spikeport.convert.ops.tile import Tile
from spikeport.convert.ops.time import MeanTime, OverTime, RepeatTime, SumTime
from spikeport.convert.ops.view import Permute, Reshape
from spikeport.convert.ops.zero_pad import ZeroPad

__all__ = [
    "IF",
    "LIF",
    "OPS",
    "AdaptiveAvgPool",
    "Add",
    "AddConstant",
    "AddPerStep",
    "AvgPool",
    "BatchNorm",
    "ChannelNeuron",
    "Complement",
    "Concat",
    "Conv",
    "Delay",
    "EulerNeuron",
    "Fourier",
    "Input",
    "Integrator",
    "Linear",
    "MatMul",
    "MaxPool",
    "Mean",
    "MeanTime",
    "Multiply",
    "MultiplyConstant",
    "Neuron",
    "NeuronState",
    "Op",
    "OverTime",
    "ParametricLIF",
    "Permute",
    "RepeatTime",
    "Reshape",
    "ScalarNeuron",
    "Scale",
    "Shape",
    "Slice",
    "Stateful",
    "Stateless",
    "Subtract",
    "Sum",
    "SumPool",
    "SumTime",
    "Threshold",
    "Tile",
    "ZeroPad",
    "op",
]
