"""Neurons: how their equation is expressed in Lava's."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple, cast

import torch
from torch import Tensor

from spikeport.convert.check import Finding, Status, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import IF, LIF, ChannelNeuron, Op, ParametricLIF
from spikeport.targets.lava.limits import DECAY_UNIT, NO_CURRENT_MEMORY
from spikeport.targets.lava.ops import LavaLIF
from spikeport.targets.lava.rules.base import Rule, rule


class Membrane(NamedTuple):
    """h' = h (1 - leak) + x, fire on h' >= threshold: the form that Lava's neuron has."""

    leak: float | Tensor
    threshold: float | Tensor
    """Of the layer, or broadcasting to the features."""


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
        if not _all(membrane.threshold, lambda value: 0 < value < math.inf):
            yield error(
                node, "its threshold is not positive and finite.", "Train with v_threshold > 0."
            )
        yield from self._check_leak(node, membrane.leak)
        source = graph[node.inputs[0]]
        if not source.per_step:
            yield error(
                node,
                "it reads a value without time axis.",
                "Repeat the input over the time steps outside the model.",
            )

    def _check_leak(self, node: Node, leak: float | Tensor) -> Iterator[Finding]:
        if isinstance(leak, Tensor) and bool((leak != leak.flatten()[0]).any()):
            yield error(
                node,
                "its leak differs between channels; Lava's neurons share one per layer.",
                "Train with one time constant per layer.",
            )
            return
        decay = _first(leak) * DECAY_UNIT
        if decay != round(decay) or not 0 <= decay < DECAY_UNIT:
            yield error(
                node,
                f"its leak {_first(leak):.6g} is no whole number of 1/4096, the unit of Lava.",
                "Train with tau = 2, 4, 8, ... (a power of two above 1).",
            )

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        how = (
            "membrane, threshold and bias in whole numbers; measured as 'threshold offset, "
            "largest', 'rounding of the bias, largest' and 'spikes that differ from float'"
        )
        return Treatment(Status.APPROXIMATE, how=how)

    def unit(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Fraction:
        return Fraction(1)

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        limit = self.threshold(node.op, inputs[0])
        return LavaLIF(
            du=NO_CURRENT_MEMORY,
            dv=round(_first(self.membrane(node.op).leak) * DECAY_UNIT),
            vth=int(limit.max()),
            bias_mant=None,
            bias_exp=0,
            thresholds=None if limit.numel() == 1 else limit.to(torch.int32),
        )

    def threshold(self, op: Op, unit: Fraction) -> Tensor:
        """vth for currents in this unit, int64, one or broadcasting to the features.

        Lava fires on v > vth, the neuron on v >= threshold: the largest whole number below the
        threshold. Membranes have fractions, so those in the window of one unit below the
        threshold fire too early.
        """
        threshold = torch.as_tensor(self.membrane(op).threshold, dtype=torch.float64)
        limits = {value: _below(value, unit) for value in set(threshold.flatten().tolist())}
        whole = torch.tensor([limits[value] for value in threshold.flatten().tolist()])
        return whole.reshape(threshold.shape)


def _below(threshold: float, unit: Fraction) -> int:
    """Largest whole number of units below a threshold; beyond 2^40 it is that."""
    return min(math.ceil(Fraction(threshold) / unit) - 1, 2**40)


def _first(value: float | Tensor) -> float:
    return float(value.flatten()[0]) if isinstance(value, Tensor) else value


def _all(value: float | Tensor, holds: Callable[[float], bool]) -> bool:
    values = value.flatten().tolist() if isinstance(value, Tensor) else [value]
    return all(holds(each) for each in values)


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


@rule(ChannelNeuron)
class ChannelNeuronRule(NeuronRule):
    """Thresholds that differ between channels; the leak must be one for the layer."""

    def membrane(self, op: Op) -> Membrane:
        neuron = cast(ChannelNeuron, op)
        threshold = neuron.v_threshold.double()
        if neuron.tau is None and neuron.weight is None:
            return Membrane(0.0, threshold)
        leak = (
            1.0 / neuron.tau.double()
            if neuron.tau is not None
            else cast(Tensor, neuron.weight).double().sigmoid()
        )
        return Membrane(leak, threshold / leak if neuron.decay_input else threshold)
