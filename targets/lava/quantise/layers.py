"""One layer in whole numbers: weights, and sums that stay within what a convolution holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import Conv, Linear, Op
from spikeport.targets.lava.limits import CONVOLUTION_LIMIT
from spikeport.targets.lava.ops import LavaShift
from spikeport.targets.lava.quantise.bounds import Interval, interval
from spikeport.targets.lava.rules import RULES, SynapseRule
from spikeport.targets.lava.rules.synapses import channel_exponents, quantised, with_weight

CURRENT_BITS_LESS = 3
"""Currents that a layer reads are rounded first until they keep this many bits behind the point
fewer than the weights have; then both lose bits alike. A current spreads around one, a weight is a
few times smaller than the largest, so that both then add errors of the same size."""


@dataclass(frozen=True)
class Layer:
    """A layer at one exponent of the stream that it writes.

    Attributes:
        op: with whole-numbered weights.
        scaled: the weights that it stands for, in units of the stream at exponent 0, float64.
        own: per output channel the exponent from which on weights lose no bits.
        exponent: of the sums; that of the stream, or more where they are shifted to it.
        sums: proven bounds of them.
        dropped: how many bits the currents lose before the layer reads them.
        excess: how far sums lie above the stream's exponent, in bits.
    """

    op: Conv | Linear
    scaled: Tensor
    own: Tensor
    exponent: int
    sums: Interval
    dropped: int
    excess: int

    @property
    def ops(self) -> tuple[Op, ...]:
        """What is computed, in order."""
        before, after = (
            (LavaShift(-bits),) if bits else () for bits in (self.dropped, self.excess)
        )
        return (*before, self.op, *after)

    @property
    def bounds(self) -> Interval:
        """Proven bounds of what the stream gets."""
        return interval(LavaShift(-self.excess), (self.sums,)) if self.excess else self.sums


def layer_of(node: Node) -> Conv | Linear:
    """The synapse op of a node that is known to hold one."""
    return cast("Conv | Linear", node.op)


def unit_ratio(node: Node, layer: Layer) -> float:
    """The number that the node's weights were multiplied by to be `layer.scaled`."""
    norm = float(layer_of(node).weight.double().norm())
    return float(layer.scaled.norm()) / norm if norm else 1.0


def scaled_weight(node: Node, reads: Fraction, writes: Fraction) -> Tensor:
    """The weight that turns whole numbers in one unit into another, float64."""
    return cast(SynapseRule, RULES[node.op.kind]).scaled_weight(node, reads, writes)


def fit_layer(node: Node, scaled: Tensor, k: int, bits: int, source: Interval) -> Layer:
    """A layer that reads spikes or counts: its sums have the exponent of the stream."""
    return _at(node, scaled, k, k, bits, source)


def fit_fine_layer(
    node: Node,
    scaled: Tensor,
    k: int,
    bits: int,
    source: Interval,
    precision: int,
    reached: Callable[[Interval, int], float],
) -> Layer:
    """A layer that reads currents or pixels: their many bits times those of the weights need room.

    Both lose no more bits than make the sums fit a convolution; the sums are then shifted to the
    exponent of the stream.

    Args:
        precision: bits that what it reads has behind the point.
        reached: from bounds and their exponent to the magnitude that must fit.
    """
    spare = max(0, precision - (bits - CURRENT_BITS_LESS))
    full = int(channel_exponents(scaled, bits).max())
    lost = 0
    while True:
        dropped = min(lost, spare) + max(0, lost - spare) // 2
        exponent = max(k, full - lost)
        layer = _at(node, scaled, k, exponent, bits, source, dropped)
        excess = reached(layer.sums, exponent) / CONVOLUTION_LIMIT
        if excess < 1 or full - lost <= k:
            return layer
        lost += max(1, math.floor(math.log2(excess)))


def _at(
    node: Node,
    scaled: Tensor,
    k: int,
    exponent: int,
    bits: int,
    source: Interval,
    dropped: int = 0,
) -> Layer:
    if dropped:
        scaled, source = scaled * 2.0**dropped, interval(LavaShift(-dropped), (source,))
    own = channel_exponents(scaled, bits)
    op = with_weight(layer_of(node), quantised(scaled, bits, exponent))
    return Layer(op, scaled, own, exponent, interval(op, (source,)), dropped, exponent - k)
