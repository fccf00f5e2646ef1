"""Neurons: the differential equations that one time step of theirs is an Euler step of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import nir
import numpy as np
from numpy.typing import NDArray

from spikeport.convert.check import EXACT, Finding, Status, Treatment
from spikeport.convert.graph import Node
from spikeport.convert.ops import (
    IF,
    LIF,
    ChannelNeuron,
    EulerNeuron,
    Integrator,
    ParametricLIF,
    Threshold,
)
from spikeport.targets.nir.conventions import (
    in_seconds,
    in_steps,
    per_second,
    per_step,
)
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan
from spikeport.targets.nir.rules.base import Rule, refused, rule, spread

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Equation:
    """h = v + ((leak - v) + gain x) / tau, or h = v + gain x; one number per neuron each.

    Attributes:
        rounded: the time constant is not the graph's own number.
    """

    tau: Array | None
    gain: Array
    leak: Array
    rounded: bool = False

    def reads_back(self, dt: float) -> bool:
        """Whether the numbers in the file give these numbers of steps again."""
        if self.tau is None:
            return np.array_equal(per_step(per_second(self.gain, dt), dt), self.gain)
        return np.array_equal(in_steps(in_seconds(self.tau, dt), dt), self.tau)


class NeuronRule(Rule):
    """What all neurons share."""

    def equation(self, node: Node) -> Equation:
        raise TypeError(f"{type(self).__name__} has no equation")

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        tau = self.equation(node).tau
        if tau is not None and bool((tau < 1).any()):
            yield refused(
                node,
                f"its time constant of {tau.min():g} steps is shorter than a step, where Euler "
                "steps of NIR's equation do not decay.",
                "Use one of at least a step.",
            )

    def treatment(self, plan: Plan, node: Node) -> Treatment:
        found = self.equation(node)
        if not found.rounded and found.reads_back(plan.options.dt):
            return EXACT
        return Treatment(
            Status.APPROXIMATE,
            how="its time constant is rounded to float64 seconds, relative error below 1e-15; "
            "measured as 'spikes that differ' by the proof on frames",
        )


class SpikingRule(NeuronRule):
    """A neuron that fires and is reset to a value."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        yield from super().check(plan, node)
        if getattr(node.op, "v_reset", 0.0) is None:
            yield refused(
                node,
                "it subtracts its threshold when it fires (soft reset); NIR knows reset to a value "
                "only.",
                "Train with v_reset=0.0.",
            )

    def write(self, network: Network, node: Node) -> Sources:
        op, found = node.op, self.equation(node)
        if not isinstance(op, IF | LIF | ParametricLIF | ChannelNeuron | EulerNeuron):
            raise TypeError(f"not a neuron that is reset: {op.kind}")
        if op.v_reset is None:
            raise TypeError("NIR has no soft reset")
        limits = {
            "v_threshold": spread(op.v_threshold, node),
            "v_reset": spread(op.v_reset, node),
        }
        if found.tau is None:
            neuron = nir.IF(r=per_second(found.gain, network.plan.options.dt), **limits)
        else:
            tau = in_seconds(found.tau, network.plan.options.dt)
            neuron = nir.LIF(tau=tau, r=found.gain, v_leak=found.leak, **limits)
        return network.add(node.name, neuron, network.read(node))


@rule(IF)
class IFRule(SpikingRule):
    """h = v + x."""

    def equation(self, node: Node) -> Equation:
        return Equation(None, spread(1.0, node), spread(0.0, node))


@rule(LIF, ParametricLIF, ChannelNeuron)
class LIFRule(SpikingRule):
    """One time constant, r = 1 where the input decays with the membrane, tau where not."""

    def equation(self, node: Node) -> Equation:
        op = node.op
        if not isinstance(op, LIF | ParametricLIF | ChannelNeuron):
            raise TypeError(f"not a leaky neuron: {op.kind}")
        leak = spread(op.v_reset or 0.0, node)
        learned = None if isinstance(op, LIF) else op.weight
        if learned is not None:
            tau = 1 / spread(learned.double().sigmoid(), node)
        else:
            steps = None if isinstance(op, ParametricLIF) else op.tau
            if steps is None:
                return Equation(None, spread(1.0, node), leak)
            tau = spread(steps, node)
        gain = spread(1.0, node) if op.decay_input else tau
        return Equation(tau, gain, leak, rounded=learned is not None)


def _plain(node: Node, op: EulerNeuron | Integrator) -> Equation:
    tau = None if op.tau is None else spread(op.tau, node)
    return Equation(tau, spread(op.gain, node), spread(op.leak, node))


@rule(EulerNeuron)
class EulerNeuronRule(SpikingRule):
    """NIR's own equation."""

    def equation(self, node: Node) -> Equation:
        if not isinstance(node.op, EulerNeuron):
            raise TypeError(f"not an Euler neuron: {node.op.kind}")
        return _plain(node, node.op)


@rule(Integrator)
class IntegratorRule(NeuronRule):
    """A membrane that does not spike."""

    def equation(self, node: Node) -> Equation:
        if not isinstance(node.op, Integrator):
            raise TypeError(f"not an integrator: {node.op.kind}")
        return _plain(node, node.op)

    def write(self, network: Network, node: Node) -> Sources:
        found = self.equation(node)
        if found.tau is None:
            written = nir.I(r=per_second(found.gain, network.plan.options.dt))
        else:
            tau = in_seconds(found.tau, network.plan.options.dt)
            written = nir.LI(tau=tau, r=found.gain, v_leak=found.leak)
        return network.add(node.name, written, network.read(node))


@rule(Threshold)
class ThresholdRule(Rule):
    """A comparison without a membrane."""

    def write(self, network: Network, node: Node) -> Sources:
        if not isinstance(node.op, Threshold):
            raise TypeError(f"not a threshold: {node.op.kind}")
        return network.add(
            node.name, nir.Threshold(spread(node.op.value, node)), network.read(node)
        )
