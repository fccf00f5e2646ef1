"""Maximum over a window, of currents or spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class MaxPool(Unary):
    """`[C, H, W]`; options `kernel`, `stride`, `padding`, (H, W) each. Padding never wins."""


@implements(proc=MaxPool, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class MaxPoolModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        kernel, stride, padding = (
            tuple(self.proc_params[option]) for option in ("kernel", "stride", "padding")
        )
        widths = ((0, 0), *((pad, pad) for pad in padding))
        padded = np.pad(value, widths, constant_values=np.iinfo(np.int32).min)
        views: Any = np.lib.stride_tricks.sliding_window_view  # its stubs know one axis only
        windows = views(padded, kernel, axis=(1, 2))
        largest: Array = windows[:, :: stride[0], :: stride[1]].max(axis=(3, 4))
        return largest
