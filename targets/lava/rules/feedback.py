"""Feedback from the step before, and constants of single steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

import torch

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep, Delay, Op
from spikeport.targets.lava.rules.base import Rule, carries_current, rule


@rule(Delay)
class DelayRule(Rule):
    """The delay of a layer on the way back, gated at the first step of each sample."""

    simulation_only = True

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if node.domain not in (Domain.SPIKE, Domain.REAL):
            yield error(
                node,
                "it feeds back counts, whose scale is not known before the loop is.",
                "Feed back spikes, or the output of a layer.",
            )

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        if not carries_current(node):
            return super().treatment(graph, node)
        how = "the layer's own delay; its bias in whole numbers, measured as 'rounding of the bias "
        return Treatment(Status.APPROXIMATE, how=how + "fed back, largest'")

    def unit(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Fraction:
        """Of spikes; a current's is that of its stream."""
        return Fraction(1)


@rule(AddPerStep)
class AddPerStepRule(Rule):
    """Constants of each step, in whole numbers."""

    simulation_only = True

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = "constants in whole numbers; measured as 'rounding of the constants, largest'"
        return Treatment(Status.APPROXIMATE, how=how)

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if not bool(torch.isfinite(cast(AddPerStep, node.op).value).all()):
            yield error(node, "its constants hold NaN or infinity.", "Give trained weights.")

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        op = cast(AddPerStep, node.op)
        whole = torch.round(op.value.double() / float(inputs[0]))
        return replace(op, value=whole.clamp(-(2.0**31) + 1, 2.0**31 - 1).to(torch.int32))
