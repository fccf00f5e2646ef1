"""Products with constants."""

from __future__ import annotations

import math
from collections.abc import Iterator

import nir

from spikeport.convert.check import Finding
from spikeport.convert.graph import Node
from spikeport.convert.ops import MultiplyConstant, Scale
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules.base import Rule, numbers, refused, rule, spread


def _is_power_of_two(value: float) -> bool:
    return abs(math.frexp(value)[0]) == 0.5


@rule(Scale)
class ScaleRule(Rule):
    """`Scale`, where one factor says the same to the last bit."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        op = node.op
        if isinstance(op, Scale) and not (_is_power_of_two(op.divisor) or op.divisor == 1.0):
            yield refused(
                node,
                f"it divides by {op.divisor:g}, which no factor does to the last bit; a membrane "
                "at its threshold would tell.",
                f"Multiply by {1 / op.divisor!r} in the model.",
            )

    def write(self, network: Network, node: Node) -> Sources:
        if not isinstance(node.op, Scale):
            raise TypeError(f"not a scale: {node.op.kind}")
        return network.add(node.name, nir.Scale(spread(node.op.ratio, node)), network.read(node))


@rule(MultiplyConstant)
class MultiplyConstantRule(Rule):
    """`Scale` with a factor per element, in the type of the constant."""

    def write(self, network: Network, node: Node) -> Sources:
        if not isinstance(node.op, MultiplyConstant):
            raise TypeError(f"not a product with a constant: {node.op.kind}")
        value = numbers(node.op.value.expand(node.shape))
        return network.add(node.name, nir.Scale(value), network.read(node))
