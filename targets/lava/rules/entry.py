"""The input: counts as they are, anything else in whole numbers of one unit."""

from __future__ import annotations

from spikeport.convert.check import EXACT, Status, Treatment
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input
from spikeport.targets.lava.rules.base import Rule, rule


@rule(Input)
class InputRule(Rule):
    """Event counts, or images in whole numbers (`targets/lava/entry.py`)."""

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        if node.domain is not Domain.SCALED:
            return EXACT
        how = "values in whole numbers; measured as 'input error' and 'input values clipped'"
        return Treatment(Status.APPROXIMATE, how=how)
