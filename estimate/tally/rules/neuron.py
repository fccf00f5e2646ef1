"""Any spiking neuron: what holds for all of them."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import Neuron
from spikeport.estimate.tally.edge import weighted
from spikeport.estimate.tally.facts import Facts, elements, uniform
from spikeport.estimate.tally.plan import Measure, NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


def neuron_plan(
    node: Node,
    additions: int | None,
    multiplications: int | None,
    notes: tuple[str, ...] = (),
) -> NodePlan:
    """Updates of a neuron layer at every step; spikes and resets as they happen.

    Args:
        node: the neuron layer.
        additions: per neuron and step; None leaves the column out.
        multiplications: per neuron and step; None leaves the column out.
        notes: what a reader should know.
    """
    count = elements(node)
    fixed = {Term.NEURON_COMPARE: count}
    if additions is not None:
        fixed[Term.NEURON_ADD] = additions * count
    if multiplications is not None:
        fixed[Term.NEURON_MUL] = multiplications * count
    spikes = (weighted(uniform(node, 1.0)),)
    return counted(
        node,
        fixed,
        tuple(Measure(term, (node.name,), spikes) for term in (Term.SPIKES_OUT, Term.NEURON_RESET)),
        notes=notes,
    )


@register_rule(Neuron)
def count_neuron(node: Node, facts: Facts) -> NodePlan:
    """A neuron type without a rule of its own: comparisons, spikes and resets."""
    note = f"additions and multiplications of neuron {node.op.kind!r} are not known"
    return neuron_plan(node, None, None, (note,))
