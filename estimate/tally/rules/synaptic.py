"""What convolutions and linear layers share: operations per event, or MACs on real input."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.estimate.coverage import Coverage
from spikeport.estimate.tally.edge import weighted
from spikeport.estimate.tally.facts import Facts, elements, uniform
from spikeport.estimate.tally.geometry import squeezed
from spikeport.estimate.tally.plan import Measure, NodePlan
from spikeport.estimate.tally.rules.base import footprint
from spikeport.estimate.tally.terms import Term


@dataclass(frozen=True, eq=False)
class Synapses:
    """The connections of one layer.

    Attributes:
        fan_out: stored weights that an event meets, over the input `[*shape]` (axes may be 1).
        effective: the same without zero weights; None if no weight is zero.
        dense: connections without padding, per execution.
        dense_padded: outputs times fan-in, per execution.
        biased: whether each output adds a bias.
    """

    fan_out: Tensor
    effective: Tensor | None
    dense: int
    dense_padded: int
    biased: bool


def synaptic_plan(node: Node, facts: Facts, synapses: Synapses) -> NodePlan:
    """Count a layer with weights, by the domain of its input."""
    (source,) = facts.inputs(node)
    plan = (
        _accumulates(node, facts, synapses)
        if source.domain.is_event
        else _multiply_accumulates(node, facts, synapses)
    )
    if not synapses.biased:
        return plan
    bias = {Term.BIAS_ADD: elements(node)}
    if node.per_step:
        return replace(plan, per_step={**plan.per_step, **bias})
    return replace(plan, once={**plan.once, **bias})


def _multiply_accumulates(node: Node, facts: Facts, synapses: Synapses) -> NodePlan:
    executed = {Term.MAC: synapses.dense, Term.MAC_PADDED: synapses.dense_padded}
    hoisted = {
        Term.MAC_HOISTED: synapses.dense,
        Term.MAC_PADDED_HOISTED: synapses.dense_padded,
    }
    per_step = dict(executed) if node.per_step else {}
    once = {} if node.per_step else dict(executed)
    repeats = node.per_step and node.name not in facts.steady
    (per_step if repeats else once).update(hoisted)
    steady = node.name in facts.steady
    note = ("reads the same static image at every step: see executed and hoisted",)
    return NodePlan(
        Coverage.COUNTED,
        per_step=per_step,
        once=once,
        footprint=footprint(node),
        notes=note if steady else (),
    )


def _accumulates(node: Node, facts: Facts, synapses: Synapses) -> NodePlan:
    effective = synapses.fan_out if synapses.effective is None else synapses.effective
    (read,) = facts.inputs(node)
    found = facts.event_source(
        node,
        squeezed(synapses.fan_out),
        squeezed(effective),
        uniform(read, synapses.dense_padded / elements(read)),
    )
    source, (fan_out, effective, padded) = found.node, found.weights
    events, operations = weighted(uniform(source, 1.0)), weighted(fan_out)
    reductions = {
        Term.EVENTS_IN: events,
        Term.SOP: operations,
        Term.SOP_EFFECTIVE: operations if synapses.effective is None else weighted(effective),
    }
    if source.domain is Domain.SPIKE:
        reductions |= {Term.UNITS_IN: events, Term.SOP_UNITS: operations}
    elif source.domain is Domain.GRADED:
        reductions |= {
            Term.UNITS_IN: weighted(uniform(source, 1.0), magnitude=True),
            Term.SOP_UNITS: weighted(fan_out, magnitude=True),
        }
    measures = [
        Measure(term, (source.name,), (reduction,)) for term, reduction in reductions.items()
    ]
    # Dense is what the source would cause if each of its elements were an event.
    fixed = {
        Term.SITES: elements(source),
        Term.DENSE: round(fan_out.expand(source.shape).sum().item()),
        Term.DENSE_PADDED: round(padded.expand(source.shape).sum().item()),
    }
    notes = (_commuted(source, fixed[Term.DENSE], synapses.dense),)
    return NodePlan(
        Coverage.COUNTED,
        per_step=fixed if source.per_step else {},
        once={} if source.per_step else fixed,
        measures=tuple(measures),
        footprint=footprint(node),
        commuted=found.commuted,
        notes=notes if found.commuted else (),
    )


def _commuted(source: Node, dense: int, own: int) -> str:
    """Where events are counted, and how many times its connections a layer may then cost."""
    note = f"commuted: events counted at {source.path or source.name}"
    if dense <= own:
        return note
    factor = f"{dense / own:.4g}" if dense % own else f"{dense // own:,}"
    return (
        f"{note}, before an average: up to {factor} x its own {own:,} connections"
        f"{' at each step' if source.per_step else ''}; averaged first, each connection would be "
        "one multiply-accumulate"
    )
