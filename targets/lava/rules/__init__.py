"""One rule per kind of op: what of it is refused, and what becomes of it in whole numbers."""

from spikeport.targets.lava.rules import (
    arithmetic,
    entry,
    feedback,
    means,
    moves,
    neurons,
    refused,
    scaling,
    synapses,
)
from spikeport.targets.lava.rules.base import RULES, Rule
from spikeport.targets.lava.rules.neurons import NeuronRule
from spikeport.targets.lava.rules.synapses import SynapseRule

__all__ = [
    "RULES",
    "NeuronRule",
    "Rule",
    "SynapseRule",
    "arithmetic",
    "entry",
    "feedback",
    "means",
    "moves",
    "neurons",
    "refused",
    "scaling",
    "synapses",
]
