"""What each NIR primitive means; importing this package registers them."""

from spikeport.targets.nir.reading.primitives import layers, moves, neurons

__all__ = ["layers", "moves", "neurons"]
