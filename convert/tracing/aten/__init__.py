"""How each aten op becomes nodes of the graph. Importing this package fills the table."""

from spikeport.convert.tracing.aten import (
    elementwise,
    joins,
    layers,
    loops,
    neuron,
    padding,
    parts,
    pooling,
    reduce,
    views,
)

__all__ = [
    "elementwise",
    "joins",
    "layers",
    "loops",
    "neuron",
    "padding",
    "parts",
    "pooling",
    "reduce",
    "views",
]
