"""The one neuron of the Max-Former, and its state."""

from __future__ import annotations

from spikingjelly.activation_based import surrogate
from torch import nn

from spikeport.core.neurons import LIFNode


def lif(threshold: float = 1.0) -> LIFNode:
    """A multi-step leaky integrate-and-fire layer, `[T, B, ...]` currents to `[T, B, ...]` spikes.

    For each step, with the membrane potential v starting at 0:

        h = v + (x - v) / 2,    s = 1 if h >= threshold else 0,    v = (1 - s) * h

    The backward pass replaces the step by sigmoid(4 h)' and lets no gradient through the reset.
    Settings of arXiv 2505.18608 (event models).
    """
    return LIFNode(
        tau=2.0,
        decay_input=True,
        v_threshold=threshold,
        v_reset=0.0,
        surrogate_function=surrogate.Sigmoid(alpha=4.0),
        detach_reset=True,
        step_mode="m",
    )


def reset_neurons(module: nn.Module) -> None:
    """Put every LIF layer inside `module` back to rest (v = 0)."""
    for child in module.modules():
        if isinstance(child, LIFNode):
            child.reset()


def halve_sums(module: nn.Module) -> None:
    """Let every LIF layer inside `module` charge by (v + x) / 2.

    One operation and one rounding less; the last bit of the membrane may differ. Recipes of the
    first edition train so, and each is to give the same bytes again.
    """
    for child in module.modules():
        if isinstance(child, LIFNode):
            child.halving = True
