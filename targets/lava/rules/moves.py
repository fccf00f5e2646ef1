"""Ops that move values without arithmetic."""

from __future__ import annotations

from collections.abc import Iterator

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import MaxPool, Permute, RepeatTime, Reshape
from spikeport.targets.lava.rules.base import Rule, rule


@rule(Reshape, Permute)
class ViewRule(Rule):
    """Moves values only."""


@rule(RepeatTime)
class RepeatTimeRule(Rule):
    """On Lava every value exists at each step; the source repeats the image."""


@rule(MaxPool)
class MaxPoolRule(Rule):
    """Commutes with a positive factor, and with a constant added per channel."""

    simulation_only = True

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if len(node.shape) != 3:
            yield error(node, "max pooling needs [C, H, W].", "Reshape before it.")
