"""Integrate-and-fire."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import IF
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import register_rule
from spikeport.estimate.tally.rules.neuron import neuron_plan


@register_rule(IF)
def count_if(node: Node, facts: Facts) -> NodePlan:
    """h = v + x: one addition."""
    return neuron_plan(node, additions=1, multiplications=0)
