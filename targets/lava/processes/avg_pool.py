"""Average over a window, of currents, or sum of spikes."""

from __future__ import annotations

from typing import Any

import numpy as np

from spikeport.targets.lava.processes.api import CPU, LoihiProtocol, implements, requires, tag
from spikeport.targets.lava.processes.layout import Array
from spikeport.targets.lava.processes.unary import Unary, UnaryModel


class AvgPool(Unary):
    """`[C, H, W]`; options `kernel`, `stride`, `padding`, (H, W) each, and `divisors` `[H', W']`.

    (sum + divisor // 2) // divisor, rounded down: plain sums for divisors 1. Padding is zero.
    """


@implements(proc=AvgPool, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class AvgPoolModel(UnaryModel):
    def compute(self, value: Array) -> Array:
        kernel, stride, padding = (
            tuple(self.proc_params[option]) for option in ("kernel", "stride", "padding")
        )
        padded = np.pad(value, ((0, 0), *((pad, pad) for pad in padding)))
        views: Any = np.lib.stride_tricks.sliding_window_view  # its stubs know one axis only
        windows = views(padded, kernel, axis=(1, 2))
        total = windows[:, :: stride[0], :: stride[1]].sum(axis=(3, 4), dtype=np.int64)
        divisors = self.proc_params["divisors"]
        mean: Array = (total + divisors // 2) // divisors
        return mean
