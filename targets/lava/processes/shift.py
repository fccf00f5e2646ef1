"""Multiplication by a power of two."""

from __future__ import annotations

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class Shift(Unary):
    """s_in << `bits`; rounded, halves up, for negative ones."""


@implements(proc=Shift, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ShiftModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        bits = self.proc_params["bits"]
        if bits < 0:
            rounded: Array = (value.astype(np.int64) + (1 << (-bits - 1))) >> -bits
            return rounded
        shifted: Array = np.left_shift(value, bits)
        return shifted
