"""Batch norm that was not folded."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import BatchNorm
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(BatchNorm)
def count_batch_norm(node: Node, facts: Facts) -> NodePlan:
    """One multiplication and one addition per output element, in columns of their own."""
    return counted(
        node,
        {Term.NORM_MUL: elements(node), Term.NORM_ADD: elements(node)},
        notes=("batch norm is not folded: fold it before judging the cost of a deployed net",),
    )
