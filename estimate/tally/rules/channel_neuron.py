"""Neuron whose parameters differ between channels."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import ChannelNeuron
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import register_rule
from spikeport.estimate.tally.rules.neuron import neuron_plan


@register_rule(ChannelNeuron)
def count_channel_neuron(node: Node, facts: Facts) -> NodePlan:
    """As a LIF neuron if it leaks, as an IF neuron if not."""
    op = node.op
    if not isinstance(op, ChannelNeuron):
        raise TypeError(f"not a neuron with parameters per channel: {op.kind}")
    if op.tau is None and op.weight is None:
        return neuron_plan(node, additions=1, multiplications=0)
    return neuron_plan(node, additions=3 if op.v_reset else 2, multiplications=1)
