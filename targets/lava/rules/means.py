"""Means over space: of counts sums, of currents rounded divisions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AdaptiveAvgPool, AvgPool, Mean, Op, Sum
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean
from spikeport.targets.lava.rules.base import Rule, carries_current, rule

_ROUNDED = Treatment(
    Status.APPROXIMATE,
    how="a sum and a rounded division; measured as 'rounding of the mean, largest'",
)
_SUMMED = Treatment(
    Status.REWRITTEN,
    by="quantise",
    how="a sum; the divisor moves into the thresholds or weights that follow",
)


class _AverageRule(Rule):
    """Rounds where the output is a current; else keeps the sum and divides the unit."""

    simulation_only = True

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        return _ROUNDED if carries_current(node) else _SUMMED

    def divisor(self, graph: Graph, node: Node) -> int:
        """Number of values in each mean, where it is the same for all."""
        raise TypeError(f"{type(self).__name__} tells no divisor")

    def unit(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Fraction:
        return inputs[0] if carries_current(node) else inputs[0] / self.divisor(graph, node)


@rule(Mean)
class MeanRule(_AverageRule):
    """Over whole axes."""

    def divisor(self, graph: Graph, node: Node) -> int:
        shape = graph[node.inputs[0]].shape
        return math.prod(shape[axis] for axis in cast(Mean, node.op).axes)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        op = cast(Mean, node.op)
        return (LavaMean if carries_current(node) else Sum)(op.axes, op.keep)


@rule(AvgPool)
class AvgPoolRule(_AverageRule):
    """Over windows; the divisors may vary over positions where padding does not count."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        yield from _needs_plane(node)

    def pooling(self, node: Node) -> AvgPool:
        """The op as average pooling."""
        return cast(AvgPool, node.op)

    def divisor(self, graph: Graph, node: Node) -> int:
        return math.prod(self.pooling(node).kernel)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        op = self.pooling(node)
        return LavaAvgPool(
            op.kernel, op.stride, op.padding, op.count_padding, divide=carries_current(node)
        )


@rule(AdaptiveAvgPool)
class AdaptiveAvgPoolRule(AvgPoolRule):
    """Average pooling where its windows are equal."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        yield from _needs_plane(node)
        op = cast(AdaptiveAvgPool, node.op)
        if any(size % out for size, out in zip(op.size, op.output, strict=True)):
            yield error(
                node,
                f"its windows differ in size: {op.size} to {op.output}.",
                "Choose an output size that divides the input size.",
            )

    def pooling(self, node: Node) -> AvgPool:
        op = cast(AdaptiveAvgPool, node.op)
        window = tuple(size // out for size, out in zip(op.size, op.output, strict=True))
        return AvgPool(window, window, (0,) * len(window), True)


def _needs_plane(node: Node) -> Iterator[Finding]:
    if len(node.shape) != 3:
        yield error(node, "average pooling needs [C, H, W].", "Reshape before it.")
