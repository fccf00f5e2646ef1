"""A NIR graph while it is written."""

from __future__ import annotations

from dataclasses import dataclass, field

import nir

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node
from spikeport.targets.nir.plan import Plan

Sources = tuple[str, ...]
"""NIR nodes whose outputs add up to the value of a node of the graph."""


@dataclass
class Network:
    """What has been written so far.

    Attributes:
        sources: by node of the graph. A sum has several, and no node of its own.
        nodes, edges: of the NIR graph.
        readout: what is left to do over time with the output.
        domains: what the input and the delays carry.
    """

    plan: Plan
    sources: dict[str, Sources] = field(default_factory=dict)
    nodes: dict[str, nir.NIRNode] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    readout: str = "none"
    domains: dict[str, Domain] = field(default_factory=dict)

    def read(self, node: Node) -> Sources:
        """The sources of a node's only input."""
        return self.sources[node.inputs[0]]

    def add(self, name: str, written: nir.NIRNode, sources: Sources) -> Sources:
        """Add a node that reads the sum of `sources`."""
        self.nodes[name] = written
        self.edges += [(source, name) for source in sources]
        return (name,)
