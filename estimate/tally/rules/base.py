"""Counting rules by op class."""

from __future__ import annotations

from collections.abc import Callable

import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import Op, Stateful
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import Footprint, Measure, NodePlan
from spikeport.estimate.tally.registry import ClassRegistry
from spikeport.estimate.tally.terms import Term

Rule = Callable[[Node, Facts], NodePlan]
"""(node, facts about its graph) -> how it is counted."""

RULES: ClassRegistry[Rule] = ClassRegistry("counting rule")


def register_rule(op_class: type[Op]) -> Callable[[Rule], Rule]:
    """Decorator: count ops of this class, and of classes derived from it, by this rule.

    Raises:
        ValueError: the class has a rule already.
    """
    return RULES.register(op_class)


def plan_for(node: Node, facts: Facts) -> NodePlan:
    """How a node is counted; UNCOUNTED if its op has no rule."""
    rule = RULES.find(type(node.op))
    if rule is None:
        return NodePlan(Coverage.UNCOUNTED, reason=f"no counting rule for op {node.op.kind!r}")
    return rule(node, facts)


def counted(
    node: Node,
    fixed: dict[Term, int],
    measures: tuple[Measure, ...] = (),
    *,
    notes: tuple[str, ...] = (),
) -> NodePlan:
    """A counted node whose fixed counts hold as often as it runs: per step or per sample."""
    return NodePlan(
        Coverage.COUNTED,
        per_step=fixed if node.per_step else {},
        once={} if node.per_step else fixed,
        measures=measures,
        footprint=footprint(node),
        notes=notes,
    )


def footprint(node: Node) -> Footprint:
    """Bytes of a node: parameters in their own type, spikes packed 8 to a byte, the rest float32.

    State is what the neuron's `initial` makes for one sample of float32 currents.
    """
    count = elements(node)
    state = 0
    if isinstance(node.op, Stateful):
        # The meta device knows sizes and types and allocates nothing.
        currents = torch.empty((1, *node.shape), device="meta")
        state = sum(part.numel() * part.element_size() for part in node.op.initial(currents))
    return Footprint(
        weights=sum(t.numel() * t.element_size() for t in node.op.tensors().values()),
        state=state,
        activations=-(-count // 8) if node.domain is Domain.SPIKE else 4 * count,
    )
