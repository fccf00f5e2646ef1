"""The encoding layer: the first neurons, which turn the input into spikes."""

from __future__ import annotations

import networkx as nx

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron
from spikeport.core.errors import UnknownNameError, UnsupportedError, UsageError


def encoding_layer(graph: Graph, layer: str | None = None) -> Node:
    """The first layer of neurons, or the one that is named.

    Args:
        layer: name of a node, or module path of the neurons in the traced model.

    Raises:
        UnknownNameError: no layer of neurons is called so.
        UnsupportedError: the graph has no neurons.
        UsageError: the layer does not emit spikes at each time step.
    """
    neurons = [node for node in graph if isinstance(node.op, Neuron)]
    if not neurons:
        raise UnsupportedError(
            "this graph has no spiking neurons.",
            where="graph",
            fix="Trace a spiking network.",
        )
    if layer is None:
        found = neurons[0]
    else:
        chosen = [node for node in neurons if layer in (node.name, node.path)]
        if not chosen:
            raise UnknownNameError("layer of neurons", layer, [node.name for node in neurons])
        found = chosen[0]
    if found.domain != Domain.SPIKE or not found.per_step:
        raise UsageError(
            "its output is no train of spikes.",
            where=found.path or found.name,
            fix="Choose a layer of neurons that fires at each time step.",
        )
    return found


def goes_around(graph: Graph, node: Node) -> bool:
    """Whether something of the input reaches the output without passing a node."""
    net = nx.DiGraph(graph.to_networkx())
    net.add_edges_from((delay.op.feedback or "", delay.name) for delay in graph.delays)
    net.remove_node(node.name)
    return any(nx.has_path(net, graph.input.name, name) for name in graph.outputs if name in net)
