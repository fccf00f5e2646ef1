"""How each kind of op is written in NIR; importing this package registers the rules."""

from spikeport.targets.nir.rules import moves, neurons, pools, refused, scales, sums, synapses
from spikeport.targets.nir.rules.base import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "moves",
    "neurons",
    "pools",
    "refused",
    "scales",
    "sums",
    "synapses",
]
