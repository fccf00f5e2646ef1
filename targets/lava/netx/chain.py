"""The layers of a sequential network: a synapse with its neuron each."""

from __future__ import annotations

from dataclasses import dataclass

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, Neuron, Reshape


@dataclass(frozen=True)
class Link:
    """One layer of the file.

    Attributes:
        flattened: whether `[C, H, W]` of the layer before is read as one axis.
    """

    synapse: Node
    neuron: Node
    flattened: bool


def links(graph: Graph) -> tuple[Link, ...]:
    """The layers in order, of a graph against which `check_net` has found nothing."""
    found: list[Link] = []
    for node in graph:
        if isinstance(node.op, Conv | Linear):
            reader = graph.consumers(node.name)[0]
            if isinstance(reader.op, Neuron):
                flattened = isinstance(graph[node.inputs[0]].op, Reshape)
                found.append(Link(node, reader, flattened))
    return tuple(found)
