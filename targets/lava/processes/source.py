"""Frames into the network."""

from __future__ import annotations

import numpy as np

from spikeport.targets.lava.processes.api import (
    CPU,
    AbstractProcess,
    Integers,
    LavaPyType,
    LoihiProtocol,
    OutPort,
    PyLoihiProcessModel,
    PyOutPort,
    implements,
    requires,
    tag,
)
from spikeport.targets.lava.processes.layout import lava_shape, to_lava


class Source(AbstractProcess):
    """Sends `frames[step]`, `[steps, *shape]` in the graph's layout, then zeros."""

    def __init__(self, *, name: str, frames: Integers) -> None:
        super().__init__(name=name, frames=frames)
        self.s_out = OutPort(shape=lava_shape(frames.shape[1:]))


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SourceModel(PyLoihiProcessModel):
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def run_spk(self) -> None:
        frames = self.proc_params["frames"]
        # Lava counts steps from one.
        step = self.time_step - 1
        frame = frames[step] if step < len(frames) else np.zeros_like(frames[0])
        self.s_out.send(to_lava(frame).astype(np.int32))
