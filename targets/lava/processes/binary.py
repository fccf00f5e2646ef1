"""Sum, product and matrix product of two values, within the same step."""

from __future__ import annotations

import numpy as np

from spikeport.targets.lava.processes.api import (
    CPU,
    AbstractProcess,
    InPort,
    LavaPyType,
    LoihiProtocol,
    OutPort,
    PyInPort,
    PyLoihiProcessModel,
    PyOutPort,
    implements,
    requires,
    tag,
)
from spikeport.targets.lava.processes.layout import Array, Shape, lava_shape, to_graph, to_lava


class Binary(AbstractProcess):
    """s_out = f(left, right). Two ports, so that both may come from one process."""

    def __init__(self, *, name: str, left: Shape, right: Shape, shape_out: Shape) -> None:
        super().__init__(name=name, shape_left=left, shape_right=right)
        self.left = InPort(shape=lava_shape(left))
        self.right = InPort(shape=lava_shape(right))
        self.s_out = OutPort(shape=lava_shape(shape_out))


class BinaryModel(PyLoihiProcessModel):
    """Converts layouts around `compute`, which sees the graph's."""

    left: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    right: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        left = to_graph(self.left.recv(), self.proc_params["shape_left"])
        right = to_graph(self.right.recv(), self.proc_params["shape_right"])
        self.s_out.send(to_lava(self.compute(left, right)).astype(np.int32))

    def compute(self, left: Array, right: Array) -> Array:
        """The output in the graph's layout."""
        raise TypeError(f"{type(self).__name__} computes nothing")


class Relay(Binary):
    """left + right: a residual stream that several processes read."""


@implements(proc=Relay, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class RelayModel(BinaryModel):
    def compute(self, left: Array, right: Array) -> Array:
        return left + right


class Mask(Binary):
    """left * right, element by element."""


@implements(proc=Mask, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MaskModel(BinaryModel):
    def compute(self, left: Array, right: Array) -> Array:
        return left * right


class SpikeMatMul(Binary):
    """left @ right over the last two axes: products of spikes with spikes or counts."""


@implements(proc=SpikeMatMul, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeMatMulModel(BinaryModel):
    def compute(self, left: Array, right: Array) -> Array:
        # Whole numbers below 2^53 are exact in float64, and numpy multiplies those much faster.
        product: Array = left.astype(np.float64) @ right.astype(np.float64)
        return product
