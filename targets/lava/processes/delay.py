"""A delay line."""

from __future__ import annotations

from collections import deque
from typing import Any

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array, Shape
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class DelayLine(Unary):
    """s_out[t] = s_in[t - steps], zeros before."""

    def __init__(self, *, name: str, shape: Shape, steps: int) -> None:
        super().__init__(name=name, shape_in=shape, shape_out=shape, steps=steps)


@implements(proc=DelayLine, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class DelayLineModel(UnaryModel):
    def __init__(self, proc_params: Any = None) -> None:
        super().__init__(proc_params)
        self.waiting: deque[Array] = deque()

    def compute(self, value: Array) -> Array:
        self.waiting.append(value.copy())
        if len(self.waiting) > self.proc_params["steps"]:
            return self.waiting.popleft()
        return value * 0
