"""The domains of feedback edges: the narrowest that proves itself."""

from __future__ import annotations

from dataclasses import replace

from spikeport.convert.domain import Domain, holds
from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import Delay, Op

_NARROW_TO_WIDE = (Domain.SPIKE, Domain.GRADED, Domain.SCALED, Domain.REAL)


def settle_domains(graph: Graph) -> Graph:
    """Each delay with the narrowest domain that holds what its source carries.

    Proof by induction over time: a delay starts with 0, which is in every domain, and if it carries
    its domain at one step, its source does, and so does the delay at the next.
    """
    declared = dict.fromkeys((node.name for node in graph.delays), Domain.SPIKE)
    while True:
        graph = rebuilt(graph, {name: _with(graph, name, declared[name]) for name in declared})
        carried = {name: graph[graph[name].op.feedback or ""].domain for name in declared}
        if all(holds(declared[name], carried[name]) for name in declared):
            return graph
        declared = {name: _wider(declared[name], carried[name]) for name in declared}


def _with(graph: Graph, name: str, domain: Domain) -> Op:
    op = graph[name].op
    if not isinstance(op, Delay):
        raise TypeError(f"{name} is no delay")
    return replace(op, domain=domain)


def _wider(left: Domain, right: Domain) -> Domain:
    return max(left, right, key=_NARROW_TO_WIDE.index)
