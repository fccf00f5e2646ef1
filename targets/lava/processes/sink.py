"""Values out of the network."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeport.targets.lava.processes.api import (
    CPU,
    AbstractProcess,
    InPort,
    LavaPyType,
    LoihiProtocol,
    PyInPort,
    PyLoihiProcessModel,
    implements,
    requires,
    tag,
)
from spikeport.targets.lava.processes.layout import Array, Shape, lava_shape, to_graph


class Sink(AbstractProcess):
    """Keeps what it receives in steps first ... first + count - 1, `[count, *shape]` int32.

    Written to `path` (.npy) after the last of them, if given: reading it out of the process
    through Lava takes 80 us per number.
    """

    def __init__(
        self, *, name: str, shape: Shape, first: int, count: int, path: str | None
    ) -> None:
        super().__init__(name=name, shape=shape, first=first, count=count, path=path)
        self.s_in = InPort(shape=lava_shape(shape))


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SinkModel(PyLoihiProcessModel):
    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: Any = None) -> None:
        super().__init__(proc_params)
        shape = (proc_params["count"], *proc_params["shape"])
        self.kept: Array = np.zeros(shape, np.int32)

    def run_spk(self) -> None:
        value = to_graph(self.s_in.recv(), self.proc_params["shape"])
        index = self.time_step - self.proc_params["first"]
        if 0 <= index < len(self.kept):
            self.kept[index] = value
        if index == len(self.kept) - 1 and self.proc_params["path"] is not None:
            np.save(self.proc_params["path"], self.kept)
