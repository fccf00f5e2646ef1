"""Multiplication by a power of two."""

from __future__ import annotations

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class Shift(Unary):
    """s_in << `bits`."""


@implements(proc=Shift, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ShiftModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        shifted: Array = np.left_shift(value, self.proc_params["bits"])
        return shifted
