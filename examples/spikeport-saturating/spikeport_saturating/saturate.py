"""A clip before each neuron."""

from __future__ import annotations

from spikeport.convert import Graph
from spikeport.convert.ops import Neuron
from spikeport_saturating.clip import Clip

LIMIT = 8.0
"""Largest current, in units of the threshold's own scale."""


def saturate_currents(graph: Graph) -> Graph:
    """What a neuron reads is clipped to +-8, as the accumulators of the chip would."""
    # The certificate speaks about the graph without clips.
    kept = {key: value for key, value in graph.metadata.items() if key != "certificate"}
    result = Graph(outputs=graph.outputs, metadata=kept)
    for node in graph:
        inputs = node.inputs
        if isinstance(node.op, Neuron):
            clip = result.add(f"{node.name}.clip", Clip(LIMIT), inputs, path=node.path)
            inputs = (clip.name,)
        result.add(node.name, node.op, inputs, path=node.path)
    return result
