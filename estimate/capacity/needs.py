"""What the layers of a network need, by geometry alone: neurons, synapses, weights, state."""

from __future__ import annotations

from dataclasses import dataclass

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    Conv,
    Input,
    Linear,
    MatMul,
    MaxPool,
    MeanTime,
    Multiply,
    Neuron,
    Permute,
    RepeatTime,
    Reshape,
    Scale,
)
from spikeport.estimate.sizes import connections
from spikeport.estimate.tally.facts import elements
from spikeport.estimate.tally.rules.base import footprint


@dataclass(frozen=True)
class LayerNeeds:
    """What one layer with weights, or one neuron layer, needs.

    Attributes:
        neurons: that keep a state between steps; outputs of a last layer without a neuron too,
            for they are summed up.
        synapses: connections, each (input, output) pair once; taps on padding left out.
        weights: stored numbers without biases; a convolution shares them.
        inputs: elements that the layer reads, each an axon into the cores that hold it.
        fan_in: inputs of one output.
        state_bytes: that neurons keep between steps, float32.
    """

    node: str
    path: str
    kind: str
    neurons: int = 0
    synapses: int = 0
    weights: int = 0
    inputs: int = 0
    fan_in: int = 0
    state_bytes: int = 0

    def weight_bytes(self, bits: int) -> int:
        """Bytes of the weights at a width."""
        return -(-self.weights * bits // 8)


@dataclass(frozen=True)
class Needs:
    """What a network needs.

    Attributes:
        layers: in graph order.
        sources: elements that layers with weights read, each once however many read it.
        senders: neurons whose spikes some layer with weights reads.
        left_out: nodes that a chip of synapses and neurons has no counterpart for.
    """

    layers: tuple[LayerNeeds, ...]
    sources: int
    senders: int
    left_out: tuple[str, ...]

    def total(self, field: str) -> int:
        """Sum of a figure over the layers."""
        return sum(int(getattr(layer, field)) for layer in self.layers)


def needs(graph: Graph) -> Needs:
    """The needs of every layer with weights and every neuron layer."""
    layers = [
        _synaptic(graph, node) if isinstance(node.op, Conv | Linear) else _neurons(node)
        for node in graph
        if isinstance(node.op, Conv | Linear | Neuron)
    ]
    read = {
        _origin(graph, graph[node.inputs[0]])
        for node in graph
        if isinstance(node.op, Conv | Linear)
    }
    sources = [graph[name] for name in sorted(read)]
    return Needs(
        tuple(layers),
        sum(elements(source) for source in sources),
        sum(elements(source) for source in sources if isinstance(source.op, Neuron)),
        tuple(node.path or node.name for node in graph if _has_no_counterpart(graph, node)),
    )


def _synaptic(graph: Graph, node: Node) -> LayerNeeds:
    source, op = graph[node.inputs[0]], node.op
    assert isinstance(op, Conv | Linear)
    fan_in = op.weight[0].numel()
    summed = node.name in graph.outputs
    return LayerNeeds(
        node=node.name,
        path=node.path,
        kind=op.kind,
        neurons=elements(node) if summed else 0,
        synapses=connections(graph, node),
        weights=op.weight.numel(),
        inputs=elements(source),
        fan_in=fan_in,
    )


def _neurons(node: Node) -> LayerNeeds:
    return LayerNeeds(
        node=node.name,
        path=node.path,
        kind=node.op.kind,
        neurons=elements(node),
        state_bytes=footprint(node).state,
    )


def _origin(graph: Graph, node: Node) -> str:
    """The node behind views: what moves values is no source of its own."""
    while isinstance(node.op, Permute | Reshape | Scale | MeanTime | RepeatTime):
        node = graph[node.inputs[0]]
    return node.name


def _has_no_counterpart(graph: Graph, node: Node) -> bool:
    """Products of activations, gates, and maxima or layers of values that are no spikes."""
    if isinstance(node.op, MatMul | Multiply):
        return True
    if isinstance(node.op, MaxPool):
        return graph[node.inputs[0]].domain is not Domain.SPIKE
    if isinstance(node.op, Conv | Linear):
        source = graph[node.inputs[0]]
        return source.domain is Domain.REAL and not isinstance(source.op, Input)
    return False
