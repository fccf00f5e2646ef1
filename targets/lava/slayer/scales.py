"""In which unit slayer computes: every edge carries whole numbers times a power of two."""

from __future__ import annotations

import math

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, Neuron
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.ops import LavaShift


def value_exponents(graph: Graph) -> dict[str, int]:
    """e by node: slayer's values are the integer graph's divided by 2^e.

    Any choice gives the same spikes, since powers of two are exact. This one keeps values near
    those of the float network, so that learning rates mean what they mean there.
    """
    noted = lava_metadata(graph)["exponents"]
    chosen: dict[str, int] = {}
    for node in graph:
        if isinstance(node.op, Neuron | Input):
            chosen[node.name] = 0
        elif node.name in noted:
            chosen[node.name] = math.floor(noted[node.name])
        elif isinstance(node.op, LavaShift) and node.inputs[0] in chosen:
            chosen[node.name] = chosen[node.inputs[0]] + node.op.bits
        else:
            chosen[node.name] = _before_shift(graph, node, noted, chosen)
    return chosen


def _before_shift(graph: Graph, node: Node, noted: dict[str, float], chosen: dict[str, int]) -> int:
    """Sums that are shifted to the scale of a stream: the same value before as after."""
    for reader in graph.consumers(node.name):
        if isinstance(reader.op, LavaShift) and reader.name in noted:
            return math.floor(noted[reader.name]) - reader.op.bits
    return chosen[node.inputs[0]]
