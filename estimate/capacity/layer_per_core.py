"""Chips whose cores hold one layer each: Speck, DYNAP-CNN.

Words of a core's memories as the sinabs documentation gives them: kernel memory
c 2^(ceil(log2(kx ky)) + ceil(log2 f)), neuron memory f 2^(ceil(log2 fx) + ceil(log2 fy)), with c
input and f output channels, a kernel of kx x ky and an output map of fx x fy.
"""

from __future__ import annotations

import math

import networkx as nx

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear
from spikeport.estimate.capacity.result import Fit, LayerFit, Overflow
from spikeport.estimate.capacity.schema import Chip, Shares


def fit_layer_per_core(chip: Chip, graph: Graph) -> Fit:
    """Each layer with weights on a core of its own; one larger than every core on several."""
    layers = [(node, words(node)) for node in graph if isinstance(node.op, Conv | Linear)]
    largest = Shares(
        kernel=max(each.kernel for each in chip.memories),
        neuron=max(each.neuron for each in chip.memories),
    )
    fits = tuple(_layer(node, need, largest) for node, need in layers)
    overflows = [
        Overflow(node.path or node.name, f"{store} memory words", needed, limit)
        for node, need in layers
        for store, needed, limit in (
            ("kernel", need.kernel, largest.kernel),
            ("neuron", need.neuron, largest.neuron),
        )
        if needed > limit
    ]
    cores = max(sum(fit.cores for fit in fits), 1)
    if cores > chip.cores_per_chip:
        overflows.append(Overflow("network", "cores", cores, chip.cores_per_chip))
    if not overflows:
        overflows = _unassigned(chip, layers)
    return Fit(chip, cores, "layers with weights", fits, tuple(overflows))


def words(node: Node) -> Shares:
    """Words of kernel and neuron memory that a layer takes."""
    op = node.op
    if isinstance(op, Conv):
        inputs, taps = int(op.weight.shape[1]), math.prod(op.kernel)
        outputs, space = node.shape[0], node.shape[1:]
    elif isinstance(op, Linear):
        inputs, taps, outputs, space = op.in_features, 1, op.out_features, node.shape[:-1]
    else:
        raise TypeError(f"{op.kind} has no weights")
    return Shares(
        kernel=inputs * 2 ** (_bits(taps) + _bits(outputs)),
        neuron=outputs * 2 ** sum(_bits(size) for size in space),
    )


def _bits(count: int) -> int:
    """ceil(log2(count)), exact for any size."""
    return (count - 1).bit_length()


def _layer(node: Node, need: Shares, largest: Shares) -> LayerFit:
    parts = {
        "kernel memory": -(-need.kernel // largest.kernel),
        "neuron memory": -(-need.neuron // largest.neuron),
    }
    worst = max(parts, key=lambda name: parts[name])
    bound_by = worst if parts[worst] > 1 else "one core per layer"
    return LayerFit(node.name, node.path, node.op.kind, max(parts[worst], 1), bound_by)


def _unassigned(chip: Chip, layers: list[tuple[Node, Shares]]) -> list[Overflow]:
    """Layers that each fit somewhere, but not all at once."""
    net: nx.Graph[tuple[str, str]] = nx.Graph()
    tops = [("layer", node.name) for node, _ in layers]
    net.add_nodes_from(tops)
    for node, need in layers:
        for index, memory in enumerate(chip.memories):
            if need.kernel <= memory.kernel and need.neuron <= memory.neuron:
                net.add_edge(("layer", node.name), ("core", str(index)))
    matched = nx.bipartite.hopcroft_karp_matching(net, top_nodes=tops)
    placed = sum(top in matched for top in tops)
    if placed == len(tops):
        return []
    return [Overflow("network", "layers on cores with memory for them", len(tops), placed)]
