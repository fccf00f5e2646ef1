"""A network with another classifier."""

from __future__ import annotations

from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.ops import Linear


def with_head(graph: Graph, weight: Tensor) -> Graph:
    """The same network up to its only linear layer, which gets these weights and no bias."""
    changed = Graph()
    for node in graph:
        op = Linear(weight, None) if isinstance(node.op, Linear) else node.op
        changed.add(node.name, op, node.inputs, path=node.path)
    changed.outputs = graph.outputs
    return changed
