"""Constant scale."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import Scale
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan, zero
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(Scale)
def count_scale(node: Node, facts: Facts) -> NodePlan:
    """On events nothing: the constant goes into the next weights or threshold."""
    if node.domain.is_event:
        return zero("a constant scale of events moves into the next weights or threshold")
    return counted(node, {Term.MULTIPLY: elements(node)})
