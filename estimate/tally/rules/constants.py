"""Sums and products with parameters."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import AddConstant, AddPerStep, MultiplyConstant
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(AddConstant)
@register_rule(AddPerStep)
def count_add_constant(node: Node, facts: Facts) -> NodePlan:
    """One addition per element, as of a bias."""
    return counted(node, {Term.BIAS_ADD: elements(node)})


@register_rule(MultiplyConstant)
def count_multiply_constant(node: Node, facts: Facts) -> NodePlan:
    """One multiplication per element: factors that differ do not commute as one constant."""
    return counted(node, {Term.MULTIPLY: elements(node)})
