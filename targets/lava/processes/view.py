"""The same values in another order or shape."""

from __future__ import annotations

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class View(Unary):
    """Axes in `order`, then reshaped to `shape`."""


@implements(proc=View, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ViewModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        return value.transpose(self.proc_params["order"]).reshape(self.proc_params["shape"])
