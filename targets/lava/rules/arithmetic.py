"""Sums and products."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Add, AddConstant, MatMul, Multiply, Op, Sum
from spikeport.targets.lava.rules.base import Rule, carries_current, rule


@rule(Add)
class AddRule(Rule):
    """Both summands share one unit."""

    simulation_only = True


@rule(Sum)
class SumRule(Rule):
    """Keeps the unit."""

    simulation_only = True


@rule(AddConstant)
class AddConstantRule(Rule):
    """Joins the biases, which the neurons that follow get (`quantise/biases.py`)."""

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = "moves into the biases that follow; measured as 'rounding of the bias, largest'"
        return Treatment(Status.APPROXIMATE, how=how)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        return None


@rule(Multiply, MatMul)
class ProductRule(Rule):
    """Products of spikes and counts; units multiply."""

    simulation_only = True

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if any(carries_current(graph[name]) for name in node.inputs):
            yield error(
                node,
                f"this {node.op.kind} multiplies membrane currents.",
                "Put a neuron before it: only spikes and counts of spikes can be multiplied.",
            )

    def unit(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Fraction:
        return math.prod(inputs, start=Fraction(1))
