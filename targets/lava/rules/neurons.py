"""Neurons: how their equation is expressed in Lava's."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple, cast

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import IF, LIF, Op, ParametricLIF
from spikeport.targets.lava.limits import DECAY_UNIT, NO_CURRENT_MEMORY
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.rules.base import Rule, rule


class Membrane(NamedTuple):
    """h' = h (1 - leak) + x, fire on h' >= threshold: the form that Lava's neuron has."""

    leak: float
    threshold: float


class NeuronRule(Rule):
    """A neuron that resets to zero and whose leak is a whole number of 1/4096."""

    @abstractmethod
    def membrane(self, op: Op) -> Membrane:
        """The neuron with its membrane rescaled so that the input enters with factor one."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        v_reset = getattr(node.op, "v_reset", None)
        if v_reset is None:
            yield error(
                node,
                "its soft reset (v - threshold) has no counterpart in Lava, which sets v = 0.",
                "Train with v_reset=0.0.",
            )
        elif v_reset != 0.0:
            yield error(
                node, f"it resets to {v_reset:g}; Lava resets to 0.", "Train with v_reset=0.0."
            )
        membrane = self.membrane(node.op)
        if not 0 < membrane.threshold < math.inf:
            yield error(
                node, "its threshold is not positive and finite.", "Train with v_threshold > 0."
            )
        decay = membrane.leak * DECAY_UNIT
        if decay != round(decay) or not 0 <= decay < DECAY_UNIT:
            yield error(
                node,
                f"its leak {membrane.leak:.6g} is no whole number of 1/4096, the unit of Lava.",
                "Train with tau = 2, 4, 8, ... (a power of two above 1).",
            )
        source = graph[node.inputs[0]]
        if not source.per_step:
            yield error(
                node,
                "it reads a value without time axis.",
                "Repeat the input over the time steps outside the model.",
            )

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = (
            "membrane, threshold and bias in whole numbers; measured as 'threshold offset, "
            "largest', 'rounding of the bias, largest' and 'spikes that differ from float'"
        )
        return Treatment(Status.APPROXIMATE, how=how)

    def exponent(self, graph: Graph, node: Node, inputs: Sequence[int]) -> int:
        return 0

    def lower(self, graph: Graph, node: Node, inputs: Sequence[int], output: int) -> Op | None:
        return LavaLIF(
            du=NO_CURRENT_MEMORY,
            dv=round(self.membrane(node.op).leak * DECAY_UNIT),
            vth=self.threshold(node.op, inputs[0]),
            bias_mant=None,
            bias_exp=0,
        )

    def threshold(self, op: Op, exponent: int) -> int:
        """vth for currents with this exponent.

        Lava fires on v > vth, the neuron on v >= threshold: the largest whole number below the
        threshold. Membranes have fractions, so those in the window of one unit below the
        threshold fire too early.
        """
        return math.ceil(math.ldexp(self.membrane(op).threshold, exponent)) - 1


@rule(LIF)
class LIFRule(NeuronRule):
    """h = h + (x - h) / tau: with H = tau h, H' = H (1 - 1 / tau) + x and threshold tau th."""

    def membrane(self, op: Op) -> Membrane:
        lif = cast(LIF, op)
        gain = lif.tau if lif.decay_input else 1.0
        return Membrane(1.0 / lif.tau, lif.v_threshold * gain)


@rule(IF)
class IFRule(NeuronRule):
    """h = h + x: no leak."""

    def membrane(self, op: Op) -> Membrane:
        return Membrane(0.0, cast(IF, op).v_threshold)


@rule(ParametricLIF)
class ParametricLIFRule(NeuronRule):
    """As `LIFRule` with a learned leak, which fits only if it is a whole number of 1/4096."""

    def membrane(self, op: Op) -> Membrane:
        plif = cast(ParametricLIF, op)
        leak = float(plif.weight.double().sigmoid())
        return Membrane(leak, plif.v_threshold * (1.0 / leak if plif.decay_input else 1.0))
