"""Which part of a graph runs on Lava and which stays with the host."""

from __future__ import annotations

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Add, Neuron


def on_lava(graph: Graph) -> set[str]:
    """Names of the neurons and of everything that a neuron depends on.

    What comes after the last neuron (mean over time, classifier) stays float on the host. Sums of
    spikes are taken on Lava where the host would read several layers otherwise.
    """
    names: set[str] = set()
    waiting = [node.name for node in graph if isinstance(node.op, Neuron)]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            shown = graph[name].op.feedback
            waiting += [*graph[name].inputs, *([] if shown is None else [shown])]
    while len(boundary(graph, names)) > 1:
        joined = next((node.name for node in graph if _joins(node, names)), None)
        if joined is None:
            break
        names.add(joined)
    return names


def _joins(node: Node, names: set[str]) -> bool:
    """Whether the node adds up spikes or counts of the named nodes and is not one of them."""
    adds = isinstance(node.op, Add) and node.domain.is_whole
    return adds and node.name not in names and names.issuperset(node.inputs)


def boundary(graph: Graph, region: set[str]) -> tuple[Node, ...]:
    """The nodes on Lava that the host reads, or that are the graph's output, in graph order."""
    read = {name for node in graph if node.name not in region for name in node.inputs}
    read |= set(graph.outputs)
    return tuple(node for node in graph if node.name in region and node.name in read)
