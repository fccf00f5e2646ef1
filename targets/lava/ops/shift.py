"""Multiplication by a power of two."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.domain import Domain, summed
from spikeport.convert.ops import Shape, Stateless, op
from spikeport.targets.lava.ops.mean import rounded_quotient


@op("lava.shift")
@dataclass(frozen=True, eq=False)
class LavaShift(Stateless):
    """y = x << bits; for negative bits y = (x + 2^(-bits - 1)) >> -bits: rounded, halves up.

    Counts are shifted before a neuron compares them, so that the strict comparison of Lava's
    neuron (v > vth) errs by 2^-bits of a count and not by a whole one.
    """

    bits: int

    def infer_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def infer_domain(self, *inputs: Domain) -> Domain:
        return summed(inputs[0])

    def apply(self, *inputs: Tensor) -> Tensor:
        if self.bits < 0:
            return rounded_quotient(inputs[0], 2**-self.bits)
        return torch.mul(inputs[0], 2**self.bits)
