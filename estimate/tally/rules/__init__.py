"""Counting rules, one op kind per file; importing this package registers them."""

from spikeport.estimate.tally.rules import (
    add,
    averages,
    batch_norm,
    channel_neuron,
    complement,
    constants,
    conv,
    integrate_and_fire,
    lif,
    linear,
    matmul,
    max_pool,
    moves,
    multiply,
    neuron,
    scale,
)
from spikeport.estimate.tally.rules.base import RULES, Rule, plan_for, register_rule

__all__ = [
    "RULES",
    "Rule",
    "add",
    "averages",
    "batch_norm",
    "channel_neuron",
    "complement",
    "constants",
    "conv",
    "integrate_and_fire",
    "lif",
    "linear",
    "matmul",
    "max_pool",
    "moves",
    "multiply",
    "neuron",
    "plan_for",
    "register_rule",
    "scale",
]
