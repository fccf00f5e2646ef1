"""Is a network spike-driven? Answered by the domains of its edges, with the edges that say no."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron

PRODUCTS = frozenset({"conv", "linear", "matmul", "multiply", "fourier"})
"""Ops that multiply what they read with weights or with each other."""

CURRENTS = frozenset(
    {
        *("add", "add_constant", "add_per_step", "subtract", "complement"),
        *("scale", "multiply_constant", "batch_norm"),
        *("max_pool", "avg_pool", "sum_pool", "adaptive_avg_pool", "mean", "sum"),
        *("integrator", "threshold"),
        *("mean_time", "sum_time", "repeat_time", "delay"),
        *("reshape", "permute", "slice", "concat", "tile", "zero_pad"),
        *("lava.shift", "lava.mean", "lava.avg_pool"),  # of lowered graphs
    }
)
"""Ops that pass currents on to neurons: sums, constants, comparisons and moves."""


class Role(StrEnum):
    """What an edge with real values is there for."""

    PRODUCT = "product"
    """It meets weights or another activation: each value costs multiplications."""
    CURRENT = "current"
    """It carries what synapses sum up to the neurons that integrate it."""
    UNKNOWN = "unknown"
    """Its reader is an op of an extension, which may do anything."""


@dataclass(frozen=True)
class RealEdge:
    """An edge that carries real values.

    Attributes:
        source, target: names of the nodes.
        source_path, target_path: their modules, "" if none.
        op: kind of the target.
    """

    source: str
    target: str
    source_path: str
    target_path: str
    op: str
    role: Role

    def __str__(self) -> str:
        reads = self.target_path or self.target
        return f"{reads} ({self.op}) reads real values of {self.source_path or self.source}"


@dataclass(frozen=True)
class SpikeDriven:
    """The answer.

    Attributes:
        edges: every edge that carries reals, in graph order.
    """

    edges: tuple[RealEdge, ...]

    @property
    def reasons(self) -> tuple[RealEdge, ...]:
        """The edges that make it no: real values that are multiplied, or may be."""
        return tuple(edge for edge in self.edges if edge.role is not Role.CURRENT)

    def __bool__(self) -> bool:
        return not self.reasons

    def as_json(self) -> dict[str, Any]:
        return {
            "spike_driven": bool(self),
            "real_edges": [{**asdict(edge), "role": str(edge.role)} for edge in self.edges],
        }


def spike_driven(graph: Graph) -> SpikeDriven:
    """A network is spike-driven if weights and products meet spikes only.

    That is: whatever is multiplied with weights or with another activation carries spikes, counts
    of spikes, or either times one constant, so that all synaptic work is additions at events.
    Currents on their way to a neuron are real in every spiking network and do not count against it.
    The term is that of Yao et al., Spike-driven Transformer, arXiv 2307.01694.
    """
    edges = []
    for node in graph:
        for name in (*node.inputs, *filter(None, [node.op.feedback])):
            source = graph[name]
            if source.domain is Domain.REAL:
                edges.append(
                    RealEdge(
                        source.name, node.name, source.path, node.path, node.op.kind, _role(node)
                    )
                )
    return SpikeDriven(tuple(edges))


def _role(reader: Node) -> Role:
    if reader.op.kind in PRODUCTS:
        return Role.PRODUCT
    carries_on = isinstance(reader.op, Neuron) or reader.op.kind in CURRENTS
    return Role.CURRENT if carries_on else Role.UNKNOWN
