"""Sums and averages over windows, axes or time: additions, none of them synaptic.

On events an addition happens per event and per output that it reaches; on real values each output
of n inputs takes n - 1. What only commuting layers read is part of their weights and costs nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    AdaptiveAvgPool,
    AvgPool,
    Mean,
    MeanTime,
    Sum,
    SumPool,
    SumTime,
)
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.edge import weighted
from spikeport.estimate.tally.facts import Facts, elements, uniform
from spikeport.estimate.tally.geometry import axis_cover, outer, squeezed, windows_cover
from spikeport.estimate.tally.plan import Measure, NodePlan, zero
from spikeport.estimate.tally.rules.base import counted, footprint, register_rule
from spikeport.estimate.tally.terms import Term

ABSORBED = "a constant scale that commutes into the weights of every layer that reads it"


def _additions(node: Node, facts: Facts, reach: Tensor, *, divides: bool) -> NodePlan:
    """`reach`: outputs that an input element is added to, over the input."""
    (source,) = facts.inputs(node)
    if source.domain.is_event:
        return counted(
            node, {}, (Measure(Term.POOL_ADD, (source.name,), (weighted(squeezed(reach)),)),)
        )
    inside = int(reach.expand(source.shape).sum().item())
    fixed = {Term.POOL_ADD: inside - elements(node)}
    return counted(node, fixed | ({Term.MULTIPLY: elements(node)} if divides else {}))


@register_rule(AvgPool)
@register_rule(SumPool)
def count_window_pool(node: Node, facts: Facts) -> NodePlan:
    """Additions over each window, padding left out."""
    if node.name in facts.absorbed:
        return zero(ABSORBED)
    op = node.op
    if not isinstance(op, AvgPool | SumPool):
        raise TypeError(f"not a pool that adds: {op.kind}")
    (source,) = facts.inputs(node)
    axes = zip(source.shape[1:], op.kernel, op.stride, op.padding, strict=True)
    reach = outer([axis_cover(*axis).sum(0) for axis in axes]).unsqueeze(0)
    return _additions(node, facts, reach, divides=isinstance(op, AvgPool))


@register_rule(AdaptiveAvgPool)
def count_adaptive_avg_pool(node: Node, facts: Facts) -> NodePlan:
    """Additions over each window; windows of one element copy it."""
    op = node.op
    if not isinstance(op, AdaptiveAvgPool):
        raise TypeError(f"not an adaptive average pool: {op.kind}")
    windows = op.windows()
    if all(len(window) == 1 for axis in windows for window in axis):
        return zero("copies values")
    if node.name in facts.absorbed:
        return zero(ABSORBED)
    covers = [windows_cover(*axis) for axis in zip(windows, op.size, strict=True)]
    reach = outer([cover.sum(0) for cover in covers]).unsqueeze(0)
    return _additions(node, facts, reach, divides=True)


@register_rule(Mean)
def count_mean(node: Node, facts: Facts) -> NodePlan:
    """Additions over the axes."""
    if node.name in facts.absorbed:
        return zero(ABSORBED)
    return _additions(node, facts, uniform(facts.inputs(node)[0], 1.0), divides=True)


@register_rule(Sum)
def count_sum(node: Node, facts: Facts) -> NodePlan:
    """Additions over the axes."""
    if node.name in facts.absorbed:
        return zero(ABSORBED)
    return _additions(node, facts, uniform(facts.inputs(node)[0], 1.0), divides=False)


@register_rule(MeanTime)
@register_rule(SumTime)
def count_over_time(node: Node, facts: Facts) -> NodePlan:
    """Additions over time: one per event, or T - 1 per real element."""
    if node.name in facts.absorbed:
        return zero(ABSORBED)
    (source,) = facts.inputs(node)
    divides = isinstance(node.op, MeanTime)
    if source.domain.is_event:
        reach = torch.ones([1] * len(node.shape)).double()
        return _additions(node, facts, reach, divides=divides)
    count = elements(node)
    # The first step is stored, not added.
    once = {Term.POOL_ADD: -count} | ({Term.MULTIPLY: count} if divides else {})
    return NodePlan(
        Coverage.COUNTED,
        per_step={Term.POOL_ADD: count},
        once=once,
        footprint=footprint(node),
    )
