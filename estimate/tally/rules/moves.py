"""Ops that compute nothing."""

from __future__ import annotations

from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    Concat,
    Delay,
    Input,
    Permute,
    RepeatTime,
    Reshape,
    Slice,
    Tile,
    ZeroPad,
)
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.facts import Facts
from spikeport.estimate.tally.plan import Footprint, NodePlan, zero
from spikeport.estimate.tally.rules.base import footprint, register_rule


@register_rule(Input)
def count_input(node: Node, facts: Facts) -> NodePlan:
    """Samples enter here; their events are counted by the layers that read them."""
    return zero("samples enter here; events are counted where they are read")


@register_rule(Concat)
@register_rule(Permute)
@register_rule(Reshape)
@register_rule(Slice)
@register_rule(Tile)
@register_rule(ZeroPad)
def count_view(node: Node, facts: Facts) -> NodePlan:
    """Moves values."""
    return zero("moves values without computing")


@register_rule(RepeatTime)
def count_repeat_time(node: Node, facts: Facts) -> NodePlan:
    """Shows one value at each step."""
    return zero("shows the same value at each step")


@register_rule(Delay)
def count_delay(node: Node, facts: Facts) -> NodePlan:
    """Holds one value per element until the next step: state, no operation."""
    return NodePlan(
        Coverage.ZERO,
        reason="holds values until the next step",
        footprint=Footprint(state=footprint(node).activations),
    )
