"""Sum and mean over axes."""

from __future__ import annotations

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class Reduce(Unary):
    """(sum over `axes` + `count` // 2) // `count`, rounded down: a plain sum for count 1."""


@implements(proc=Reduce, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ReduceModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        axes, count = tuple(self.proc_params["axes"]), self.proc_params["count"]
        total = value.sum(axis=axes, keepdims=self.proc_params["keep"], dtype=np.int64)
        mean: Array = (total + count // 2) // count
        return mean
