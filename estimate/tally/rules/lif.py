"""Leaky integrate-and-fire."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import LIF
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import register_rule
from spikeport.estimate.tally.rules.neuron import neuron_plan


@register_rule(LIF)
def count_lif(node: Node, facts: Facts) -> NodePlan:
    """h = v + (x - (v - r)) / tau, or v - (v - r) / tau + x.

    Either way two additions (three if r is not 0) and one multiplication by 1 / tau.
    """
    if not isinstance(node.op, LIF):
        raise TypeError(f"not a LIF neuron: {node.op.kind}")
    return neuron_plan(node, additions=3 if node.op.v_reset else 2, multiplications=1)
