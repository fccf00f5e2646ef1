"""A spike without a membrane."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import Threshold
from spikeport.estimate.tally.edge import weighted
from spikeport.estimate.tally.facts import Facts, elements, uniform
from spikeport.estimate.tally.plan import Measure, NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(Threshold)
def count_threshold(node: Node, facts: Facts) -> NodePlan:
    """A comparison per element; spikes as they happen."""
    spikes = Measure(Term.SPIKES_OUT, (node.name,), (weighted(uniform(node, 1.0)),))
    return counted(node, {Term.NEURON_COMPARE: elements(node)}, (spikes,))
