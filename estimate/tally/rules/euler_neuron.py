"""Neurons of a differential equation, and membranes that do not spike."""

from __future__ import annotations

from torch import Tensor

from spikeport.convert.graph import Node
from spikeport.convert.ops import EulerNeuron, Integrator
from spikeport.estimate.tally.facts import Facts, elements
from spikeport.estimate.tally.plan import NodePlan
from spikeport.estimate.tally.rules.base import counted, register_rule
from spikeport.estimate.tally.rules.neuron import neuron_plan
from spikeport.estimate.tally.terms import Term


def _updates(tau: Tensor | None, gain: Tensor, leak: Tensor) -> tuple[int, int]:
    """Additions and multiplications of h = v + ((leak - v) + gain x) / tau, or v + gain x.

    As of a LIF or IF neuron, and one multiplication more where the gain is not 1.
    """
    gained = int(bool((gain != 1).any()))
    if tau is None:
        return 1, gained
    return 3 if bool(leak.any()) else 2, 1 + gained


@register_rule(EulerNeuron)
def count_euler_neuron(node: Node, facts: Facts) -> NodePlan:
    """Updates, comparisons, spikes and resets."""
    op = node.op
    if not isinstance(op, EulerNeuron):
        raise TypeError(f"not an Euler neuron: {op.kind}")
    return neuron_plan(node, *_updates(op.tau, op.gain, op.leak))


@register_rule(Integrator)
def count_integrator(node: Node, facts: Facts) -> NodePlan:
    """Updates alone: it neither compares nor resets."""
    op = node.op
    if not isinstance(op, Integrator):
        raise TypeError(f"not an integrator: {op.kind}")
    count = elements(node)
    additions, multiplications = _updates(op.tau, op.gain, op.leak)
    fixed = {Term.NEURON_ADD: additions * count, Term.NEURON_MUL: multiplications * count}
    return counted(node, fixed)
