"""Ops that compute nothing."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import Input, Permute, RepeatTime, Reshape
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.plan import NodePlan, zero
from spikeport.estimate.tally.rules.base import register_rule


@register_rule(Input)
def count_input(node: Node, facts: Facts) -> NodePlan:
    """Samples enter here; their events are counted by the layers that read them."""
    return zero("samples enter here; events are counted where they are read")


@register_rule(Permute)
@register_rule(Reshape)
def count_view(node: Node, facts: Facts) -> NodePlan:
    """Moves values."""
    return zero("moves values without computing")


@register_rule(RepeatTime)
def count_repeat_time(node: Node, facts: Facts) -> NodePlan:
    """Shows one value at each step."""
    return zero("shows the same value at each step")
