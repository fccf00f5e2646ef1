"""Sums, products, scaling and means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import cast

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Add, MatMul, Mean, Multiply, Op, Scale, Sum
from spikeport.targets.lava.ops import LavaMean
from spikeport.targets.lava.rules.base import Rule, carries_current, power_of_two, rule


@rule(Add)
class AddRule(Rule):
    """Both summands share one exponent."""

    simulation_only = True


@rule(Sum)
class SumRule(Rule):
    """Keeps the exponent."""

    simulation_only = True


@rule(Multiply, MatMul)
class ProductRule(Rule):
    """Products of spikes and counts; exponents add."""

    simulation_only = True

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if any(carries_current(graph[name]) for name in node.inputs):
            yield error(
                node,
                f"this {node.op.kind} multiplies membrane currents.",
                "Put a neuron before it: only spikes and counts of spikes can be multiplied.",
            )

    def exponent(self, graph: Graph, node: Node, inputs: Sequence[int]) -> int:
        return sum(inputs)


@rule(Scale)
class ScaleRule(Rule):
    """A power of two moves the exponent and costs nothing."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        factor = cast(Scale, node.op).ratio
        if power_of_two(factor) is None:
            yield error(
                node,
                f"its factor {factor:.6g} is not a power of two.",
                "Use 0.125 or another power of two and divide the threshold that follows alike.",
            )

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = "moves into the exponents and thresholds that follow"
        return Treatment(Status.REWRITTEN, by="quantise", how=how)

    def exponent(self, graph: Graph, node: Node, inputs: Sequence[int]) -> int:
        shift = power_of_two(cast(Scale, node.op).ratio)
        return inputs[0] - (shift or 0)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[int], output: int) -> Op | None:
        return None


@rule(Mean)
class MeanRule(Rule):
    """Of currents a rounded shift; of counts the sum, with log2 of its size more exponent."""

    simulation_only = True

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        size = self.size(graph, node)
        if power_of_two(size) is None:
            yield error(
                node,
                f"it averages {size} values, which is not a power of two.",
                "Choose a frame size for which height times width is a power of two here "
                "(such as 32, 64 or 128 pixels).",
            )

    def size(self, graph: Graph, node: Node) -> int:
        """Number of values that are averaged."""
        shape = graph[node.inputs[0]].shape
        return math.prod(shape[axis] for axis in cast(Mean, node.op).axes)

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        if carries_current(graph[node.inputs[0]]):
            how = "a rounded shift; measured as 'rounding of the mean, largest'"
            return Treatment(Status.APPROXIMATE, how=how)
        how = "a sum; the divisor moves into the thresholds that follow"
        return Treatment(Status.REWRITTEN, by="quantise", how=how)

    def exponent(self, graph: Graph, node: Node, inputs: Sequence[int]) -> int:
        if carries_current(graph[node.inputs[0]]):
            return inputs[0]
        return inputs[0] + (power_of_two(self.size(graph, node)) or 0)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[int], output: int) -> Op | None:
        op = cast(Mean, node.op)
        if carries_current(graph[node.inputs[0]]):
            return LavaMean(op.axes, power_of_two(self.size(graph, node)) or 0, op.keep)
        return Sum(op.axes, op.keep)
