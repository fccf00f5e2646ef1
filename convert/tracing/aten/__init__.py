"""How each aten op becomes nodes of the graph. Importing this package fills the table."""

from spikeport.convert.tracing.aten import elementwise, layers, neuron, pooling, reduce, views

__all__ = ["elementwise", "layers", "neuron", "pooling", "reduce", "views"]
