"""Residual additions and subtractions."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import Add, Subtract
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(Add)
@register_rule(Subtract)
def count_add(node: Node, facts: Facts) -> NodePlan:
    """One addition per output element; no SOP."""
    return counted(node, {Term.RESIDUAL_ADD: elements(node)})
