"""How each aten op becomes nodes of the graph. Importing this package fills the table."""

from spikeport.convert.tracing.aten import (
    comparisons,
    elementwise,
    fourier,
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
    "comparisons",
    "elementwise",
    "fourier",
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
