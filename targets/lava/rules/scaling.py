"""Factors: exact, for they change the unit and nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import cast

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Op, Scale
from spikeport.targets.lava.rules.base import Rule, rule


@rule(Scale)
class ScaleRule(Rule):
    """Any positive factor moves into the unit, and with it into what follows or comes before."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        op = cast(Scale, node.op)
        if not (math.isfinite(op.factor) and math.isfinite(op.divisor) and op.ratio > 0):
            yield error(
                node,
                f"its factor {op.ratio:.6g} is not positive and finite.",
                "Give the sign to the weights of a layer.",
            )

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = "moves into the thresholds that follow, or into weights"
        return Treatment(Status.REWRITTEN, by="quantise", how=how)

    def unit(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Fraction:
        op = cast(Scale, node.op)
        return inputs[0] * Fraction(op.factor) / Fraction(op.divisor)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        return None
