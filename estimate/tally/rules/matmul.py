"""Product of two activations."""

from __future__ import annotations

import math

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.convert.ops import MatMul
from spikeport.estimate.tally.edge import Reduction, weighted
from spikeport.estimate.tally.facts import Facts, elements, uniform
from spikeport.estimate.tally.plan import Measure, NodePlan, coincidences
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.terms import Term


@register_rule(MatMul)
def count_matmul(node: Node, facts: Facts) -> NodePlan:
    """Spike x spike: coincidences. Spike x other: events x fan-out additions. Else MACs.

    y[..., i, j] = sum over k of a[..., i, k] b[..., k, j]: an event of a meets the J values of
    row k of b, an event of b the I values of column k of a, in each head that shares it.
    """
    left, right = facts.inputs(node)
    drivers = [port for port in (0, 1) if (left, right)[port].domain is Domain.SPIKE]
    dense = elements(node) * left.shape[-1]
    if not drivers:
        return _without_spikes(node, facts, dense)
    reads = tuple(_reads(node, facts, port) for port in drivers)
    sources = tuple((left, right)[port] for port in drivers)
    return counted(
        node,
        {
            Term.SITES: sum(elements(source) for source in sources),
            Term.DENSE: dense,
            Term.DENSE_PADDED: dense,
        },
        (
            _operations(left, right) if len(drivers) == 2 else _renamed(reads[0], Term.SOP),
            *reads,
            Measure(
                Term.EVENTS_IN,
                tuple(source.name for source in sources),
                tuple(weighted(uniform(source, 1.0)) for source in sources),
            ),
        ),
    )


def _without_spikes(node: Node, facts: Facts, dense: int) -> NodePlan:
    executed = {Term.MAC: dense, Term.MAC_PADDED: dense}
    # A product of static values would be hoisted like a stem; it is not worth a rule of its own.
    hoisted = {Term.MAC_HOISTED: dense, Term.MAC_PADDED_HOISTED: dense}
    return counted(node, executed | hoisted, notes=("neither operand is binary: MACs",))


def _operations(left: Node, right: Node) -> Measure:
    axes = len(left.shape)
    return Measure(
        Term.SOP,
        (left.name, right.name),
        (
            Reduction(keep=tuple(axis for axis in range(axes) if axis != axes - 2)),
            Reduction(keep=tuple(range(axes - 1))),
        ),
        coincidences,
    )


def _reads(node: Node, facts: Facts, port: int) -> Measure:
    source = facts.inputs(node)[port]
    # How many heads of the output share one operand by broadcasting.
    shared = math.prod(node.shape[:-2]) // math.prod(source.shape[:-2])
    fan_out = shared * (node.shape[-1] if port == 0 else node.shape[-2])
    term = (Term.READS_LEFT, Term.READS_RIGHT)[port]
    return Measure(term, (source.name,), (weighted(uniform(source, fan_out)),))


def _renamed(measure: Measure, term: Term) -> Measure:
    return Measure(term, measure.sources, measure.reductions, measure.combine)
