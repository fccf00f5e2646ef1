"""The opposite of a spike."""

from __future__ import annotations

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Complement
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan, zero
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(Complement)
def count_complement(node: Node, facts: Facts) -> NodePlan:
    """NOT of a spike costs nothing where it is read; 1 - x of other values is an addition each."""
    if node.domain is Domain.SPIKE:
        return zero("the opposite of a spike is read as an inverted input")
    return counted(node, {Term.RESIDUAL_ADD: elements(node)})
