"""The integer network as a module of lava-dl's slayer: the same spikes, and trainable.

Importing this package does not import Lava.
"""

from spikeport.targets.lava.slayer.module import SlayerNetwork, to_slayer
from spikeport.targets.lava.slayer.run import run_on_slayer

__all__ = ["SlayerNetwork", "run_on_slayer", "to_slayer"]
