"""Linear layer: events times output features."""

from __future__ import annotations

import math

from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import Linear
from spikeport.estimate.tally.facts import Facts, uniform
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import register_rule
from spikeport.estimate.tally.rules.synaptic import Synapses, synaptic_plan


@register_rule(Linear)
def count_linear(node: Node, facts: Facts) -> NodePlan:
    """SOP = events x out_features; every row of a `[..., in]` input meets the same weights."""
    op = node.op
    if not isinstance(op, Linear):
        raise TypeError(f"not a linear layer: {op.kind}")
    (source,) = facts.inputs(node)
    dense = math.prod(source.shape) * op.out_features
    return synaptic_plan(
        node,
        facts,
        Synapses(
            fan_out=uniform(source, op.out_features),
            effective=_effective(op, len(source.shape)),
            dense=dense,
            dense_padded=dense,
            biased=op.bias is not None,
        ),
    )


def _effective(op: Linear, axes: int) -> Tensor | None:
    present = op.weight.detach().cpu().ne(0)
    if bool(present.all()):
        return None
    return present.sum(0).double().reshape([1] * (axes - 1) + [op.in_features])
