"""Which part of a graph runs on Lava and which stays with the host."""

from __future__ import annotations

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron


def on_lava(graph: Graph) -> set[str]:
    """Names of the neurons and of everything that a neuron depends on.

    What comes after the last neuron (mean over time, classifier) stays float on the host.
    """
    names: set[str] = set()
    for node in reversed(list(graph)):
        if isinstance(node.op, Neuron) or node.name in names:
            names.add(node.name)
            names.update(node.inputs)
    return names


def boundary(graph: Graph, region: set[str]) -> tuple[Node, ...]:
    """The nodes on Lava that the host reads, or that are the graph's output, in graph order."""
    read = {name for node in graph if node.name not in region for name in node.inputs}
    read |= set(graph.outputs)
    return tuple(node for node in graph if node.name in region and node.name in read)
