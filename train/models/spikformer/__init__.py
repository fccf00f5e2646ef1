"""Spikformer in its three published versions."""

from spikeport.train.models.spikformer.model import Spikformer
from spikeport.train.models.spikformer.options import SpikformerOptions

__all__ = ["Spikformer", "SpikformerOptions"]
