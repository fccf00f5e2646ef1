"""Base of processes that compute one value from one value, within the same step."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeport.targets.lava.processes.api import (
    AbstractProcess,
    InPort,
    LavaPyType,
    OutPort,
    PyInPort,
    PyLoihiProcessModel,
    PyOutPort,
)
from spikeport.targets.lava.processes.layout import Array, Shape, lava_shape, to_graph, to_lava


class Unary(AbstractProcess):
    """s_out = f(s_in). `options` reach the model; shapes are those in the graph."""

    def __init__(self, *, name: str, shape_in: Shape, shape_out: Shape, **options: Any) -> None:
        super().__init__(name=name, shape_in=shape_in, **options)
        self.s_in = InPort(shape=lava_shape(shape_in))
        self.s_out = OutPort(shape=lava_shape(shape_out))


class UnaryModel(PyLoihiProcessModel):
    """Converts layouts around `compute`, which sees the graph's."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        value = to_graph(self.s_in.recv(), self.proc_params["shape_in"])
        self.s_out.send(to_lava(self.compute(value)).astype(np.int32))

    def compute(self, value: Array) -> Array:
        """The output in the graph's layout."""
        raise TypeError(f"{type(self).__name__} computes nothing")
