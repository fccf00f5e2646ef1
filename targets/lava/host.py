"""What stands behind the last neuron: computed in float on the host, from recorded spikes."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.graph import Graph
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Input
from spikeport.targets.lava.region import boundary, on_lava


def boundary_node(graph: Graph) -> str:
    """Name of the one node on Lava that the host reads (`check` ensures that it is one)."""
    return boundary(graph, on_lava(graph))[0].name


def lava_part(graph: Graph) -> Graph:
    """The nodes on Lava, with the boundary node as output."""
    region = on_lava(graph)
    part = Graph(outputs=(boundary_node(graph),))
    for node in graph:
        if node.name in region:
            part.add(node.name, node.op, node.inputs, path=node.path)
    return part


def host_part(graph: Graph) -> Graph:
    """What follows, with the boundary node as input."""
    region = on_lava(graph)
    start = graph[boundary_node(graph)]
    part = Graph(outputs=graph.outputs)
    part.add(start.name, Input(start.shape, start.domain, per_step=True), path=start.path)
    for node in graph:
        if node.name not in region:
            part.add(node.name, node.op, node.inputs, path=node.path)
    return part


def host_outputs(graph: Graph, values: Tensor) -> Tensor:
    """The graph's outputs from the values of the boundary node, `[T, B, *shape]`, float64."""
    return Interpreter(host_part(graph), torch.float64).run(values)
