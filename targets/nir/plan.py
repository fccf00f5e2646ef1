"""A graph on its way to NIR, and what was chosen about it."""

from __future__ import annotations

from dataclasses import dataclass

from spikeport.convert.graph import Graph, Node
from spikeport.targets.nir.options import NirOptions


@dataclass(frozen=True)
class Plan:
    """What rules judge by."""

    graph: Graph
    options: NirOptions

    def input_of(self, node: Node) -> Node:
        """The node that the first port reads."""
        return self.graph[node.inputs[0]]
