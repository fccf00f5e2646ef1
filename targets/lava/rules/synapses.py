"""Convolutions and linear layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import cast

import torch
from torch import Tensor

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear
from spikeport.targets.lava.rules.base import Rule, rule

_HAIR = 2.0**-20
"""Far more than float64 rounds, far less than half a unit."""


def channel_exponents(weight: Tensor, bits: int) -> Tensor:
    """Per output channel the largest e with max |w| 2^e <= 2^(bits - 1) - 1, `[C_out]` int64.

    A channel without weights gets the largest exponent of the others: it needs none of its own.
    """
    largest = weight.double().abs().flatten(1).amax(1)
    # Weights that were whole already may come back a hair above after a change of unit.
    top = 2 ** (bits - 1) - 1 + _HAIR
    alive = largest > 0
    exponents = torch.floor(torch.log2(top / largest.clamp(min=torch.finfo(torch.float64).tiny)))
    # The logarithm may round across a whole number.
    exponents = torch.where(largest * 2.0 ** (exponents + 1) <= top, exponents + 1, exponents)
    exponents = torch.where(largest * 2.0**exponents > top, exponents - 1, exponents)
    fallback = exponents[alive].max() if bool(alive.any()) else torch.tensor(0.0)
    return torch.where(alive, exponents, fallback.to(torch.float64)).to(torch.int64)


def quantised(weight: Tensor, bits: int, exponent: int) -> Tensor:
    """round(w 2^e) << (exponent - e) with e = min(own exponent, exponent) per channel, int32."""
    own = channel_exponents(weight, bits).clamp(max=exponent)
    shape = (-1, *[1] * (weight.ndim - 1))
    mantissa = torch.round(weight.double() * 2.0 ** own.reshape(shape))
    return (mantissa * 2.0 ** (exponent - own).reshape(shape)).to(torch.int32)


@rule(Conv, Linear)
class SynapseRule(Rule):
    """Weights become whole numbers with an exponent per output channel; bias goes to the neurons.

    A bias stays out of the currents: what reads them adds it up (`quantise/biases.py`).
    """

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        op = cast("Conv | Linear", node.op)
        parameters = [op.weight] if op.bias is None else [op.weight, op.bias]
        if not all(bool(torch.isfinite(value).all()) for value in parameters):
            yield error(node, "its weights hold NaN or infinity.", "Give trained weights.")

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = (
            "weights in whole numbers, one exponent per output channel; measured as "
            "'weight error' and 'weight bits lost to head-room'"
        )
        if not graph[node.inputs[0]].domain.is_whole:
            how += (
                ", 'rounding of the currents it reads, largest' and 'rounding of the sums, largest'"
            )
        return Treatment(Status.APPROXIMATE, how=how)

    def scaled_weight(self, node: Node, reads: Fraction, writes: Fraction) -> Tensor:
        """The weight that turns whole numbers in one unit into another, float64."""
        weight = cast("Conv | Linear", node.op).weight.double()
        return weight * float(reads / writes)


def with_weight(op: Conv | Linear, weight: Tensor) -> Conv | Linear:
    """The layer with other weights, and without bias."""
    return replace(op, weight=weight, bias=None)
