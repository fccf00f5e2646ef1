"""Delay lines."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array, Shape
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class DelayLine(Unary):
    """s_out[t] = s_in[t - steps], zeros before; steps >= 1."""

    def __init__(self, *, name: str, shape: Shape, steps: int) -> None:
        super().__init__(name=name, shape_in=shape, shape_out=shape, steps=steps)


class LineModel(UnaryModel):
    """Sends before it receives, so that it can close a loop."""

    def __init__(self, proc_params: Any = None) -> None:
        super().__init__(proc_params)
        self.waiting: deque[Array] = deque()

    def run_spk(self) -> None:
        if len(self.waiting) < self.proc_params["steps"]:
            oldest = np.zeros(self.s_out.shape, np.int32)
        else:
            oldest = self.waiting.popleft()
        self.s_out.send(self.leaving(oldest))
        self.waiting.append(self.s_in.recv().astype(np.int32))

    def leaving(self, value: Array) -> Array:
        """What the line sends in place of the value at its end, in Lava's layout."""
        return value


@implements(proc=DelayLine, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DelayLineModel(LineModel):
    """All there is."""
