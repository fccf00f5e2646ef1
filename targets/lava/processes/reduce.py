"""Sum over axes, and mean by a shift."""

from __future__ import annotations

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class ShiftMean(Unary):
    """(sum over `axes` + half) >> `bits`, half = 2^(bits - 1) (0 for bits 0): a plain sum then."""


@implements(proc=ShiftMean, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ShiftMeanModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        axes, bits = tuple(self.proc_params["axes"]), self.proc_params["bits"]
        total = value.sum(axis=axes, keepdims=self.proc_params["keep"], dtype=np.int64)
        mean: Array = (total + ((1 << bits) >> 1)) >> bits
        return mean
