"""What a layer of spiking neurons computes, apart from its state."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


class Charge(enum.IntEnum):
    """How a membrane takes up its input; the values are those of kernel.c."""

    INTEGRATE = 0
    LEAK_DIVIDE = 1
    LEAK_MULTIPLY = 2


@dataclass(frozen=True)
class Dynamics:
    """One step takes the membrane v and the input x to a spike s and the next membrane v':

        h = v + x                            INTEGRATE
        h = v + (x - (v - rest)) / tau       LEAK_DIVIDE, decay_input
        h = v - (v - rest) / tau + x         LEAK_DIVIDE
        the same with `* leak`               LEAK_MULTIPLY
        s = 1 if h >= threshold else 0
        v' = s * reset + (1 - s) * h         or h - s * threshold if reset is None

    with rest = reset, or 0 if that is None. This is the arithmetic of SpikingJelly 2, in its order.
    LEAK_MULTIPLY takes its factor, a scalar tensor, beside the input. `surrogate` is the function
    of SpikingJelly whose derivative at h - threshold stands for that of the step. `halving` charges
    by (v + x) / 2, which a leak of tau = 2 to rest 0 comes to but for the last bit of h.
    """

    charge: Charge
    decay_input: bool
    tau: float
    threshold: float
    reset: float | None
    detach_reset: bool
    surrogate: Any
    halving: bool = False

    @property
    def rest(self) -> float:
        return 0.0 if self.reset is None else self.reset

    def run(self, x: Tensor, v: Tensor, leak: Tensor | None) -> tuple[Tensor, Tensor]:
        """Spikes and last membrane by these equations, differentiable any number of times.

        Args:
            x: input currents `[T, ...]`.
            v: membrane before the first step, `[...]`.
            leak: 1 / tau for LEAK_MULTIPLY.
        """
        spikes = []
        for current in x:
            h = self._charged(current, v, leak)
            spike = self.surrogate(h - self.threshold)
            spikes.append(spike)
            kept = spike.detach() if self.detach_reset else spike
            if self.reset is None:
                v = h - kept * self.threshold
            else:
                v = kept * self.reset + (1.0 - kept) * h
        return torch.stack(spikes), v

    def _charged(self, x: Tensor, v: Tensor, leak: Tensor | None) -> Tensor:
        if self.charge is Charge.INTEGRATE:
            return v + x
        taken = x - (v - self.rest) if self.decay_input else v - self.rest
        taken = taken / self.tau if leak is None else taken * leak
        return v + taken if self.decay_input else v - taken + x
