"""Element-wise product: a gate where one operand carries spikes."""

from __future__ import annotations

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Multiply
from spikeport.estimate.tally.edge import weighted
from spikeport.estimate.tally.facts import Facts, elements, uniform
from spikeport.estimate.tally.plan import Measure, NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(Multiply)
def count_multiply(node: Node, facts: Facts) -> NodePlan:
    """A spike mask: one AND per output element and no SOP; else one multiplication each."""
    masks = [source for source in facts.inputs(node) if source.domain is Domain.SPIKE]
    if not masks:
        return counted(node, {Term.MULTIPLY: elements(node)})
    events = Measure(
        Term.EVENTS_IN,
        tuple(mask.name for mask in masks),
        tuple(weighted(uniform(mask, 1.0)) for mask in masks),
    )
    sites = sum(elements(mask) for mask in masks)
    return counted(node, {Term.AND: elements(node), Term.SITES: sites}, (events,))
