"""How ops of networks lowered to Lava are counted: targets and estimate do not know each other.

Neurons and layers are counted as those of the float network are; only what Lava adds is here.
"""

from __future__ import annotations

import math

from spikeport.convert.graph import Node
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan, zero
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term
from spikeport.targets.lava.ops import LavaAvgPool, LavaMean, LavaShift

EVERY_VALUE = "every value is added, zeros too"


@register_rule(LavaShift)
def count_shift(node: Node, facts: Facts) -> NodePlan:
    """Wiring."""
    return zero("shifts by a fixed number of bits")


@register_rule(LavaMean)
def count_mean(node: Node, facts: Facts) -> NodePlan:
    """Additions over the axes, and one division per output."""
    (source,) = facts.inputs(node)
    outputs = elements(node)
    fixed = {Term.POOL_ADD: elements(source) - outputs, Term.MULTIPLY: outputs}
    return counted(node, fixed, notes=(EVERY_VALUE,))


@register_rule(LavaAvgPool)
def count_avg_pool(node: Node, facts: Facts) -> NodePlan:
    """Additions over each window, and one division per output where it divides."""
    op = node.op
    if not isinstance(op, LavaAvgPool):
        raise TypeError(f"not an average pool: {op.kind}")
    (source,) = facts.inputs(node)
    outputs = elements(node)
    inside = math.prod(op.kernel) * outputs
    if not op.count_padding:
        inside = int(op.divisors(source.shape).sum()) * node.shape[0]
    fixed = {Term.POOL_ADD: inside - outputs}
    return counted(
        node, fixed | ({Term.MULTIPLY: outputs} if op.divide else {}), notes=(EVERY_VALUE,)
    )
