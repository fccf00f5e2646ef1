"""Maximum over a window."""

from __future__ import annotations

import math

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import MaxPool
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.geometry import axis_cover
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(MaxPool)
def count_max_pool(node: Node, facts: Facts) -> NodePlan:
    """A window with n values inside the input takes n - 1 comparisons; of spikes, n - 1 ORs."""
    op = node.op
    if not isinstance(op, MaxPool):
        raise TypeError(f"not a max pool: {op.kind}")
    (source,) = facts.inputs(node)
    inside = node.shape[0] * math.prod(
        int(axis_cover(*axis).sum().item())
        for axis in zip(source.shape[1:], op.kernel, op.stride, op.padding, strict=True)
    )
    term = Term.OR if source.domain is Domain.SPIKE else Term.POOL_COMPARE
    return counted(node, {term: inside - elements(node)})
