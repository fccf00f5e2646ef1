"""Biases: kept out of the currents, added up along the stream, handed to the neurons."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, cast

import torch
from torch import Tensor

from spikeport.convert.check import NodeRefused, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep, Conv, Delay, Linear, MaxPool, RepeatTime, Stateless
from spikeport.targets.lava.limits import BIAS_EXPONENTS, BIAS_LIMIT, CHIP_BIAS_LIMIT, CURRENT_SHIFT
from spikeport.targets.lava.rules import RULES, SynapseRule
from spikeport.targets.lava.rules.base import carries_current
from spikeport.targets.lava.rules.synapses import with_weight


class Constants(NamedTuple):
    """What currents lack because biases are kept out of them, `[*feature]` float64 by node."""

    offsets: dict[str, Tensor]
    """For the neurons that read the currents."""
    fed_back: dict[str, Tensor]
    """What is put back into currents before they are fed back: at the first step of a sample
    nothing comes back, so the neurons that read them cannot add it at each step."""

    def detached(self) -> Constants:
        """The same numbers without gradients."""
        return Constants(*({name: x.detach() for name, x in part.items()} for part in self))


def accumulated(graph: Graph, region: set[str]) -> Constants:
    """The constants of every edge that carries currents.

    A max pool commutes with a constant only if it is the same at every position of a channel.

    Raises:
        NodeRefused: a max pool reads currents whose constant varies over positions.
    """
    found = Constants({}, {})
    shown = {node.op.feedback for node in graph.delays}
    for node in graph:
        if node.name in region and carries_current(node):
            offset = _offset(graph, node, found.offsets)
            if node.name in shown:
                found.fed_back[node.name] = offset
                offset = _nothing(node)
            found.offsets[node.name] = offset
    return found


def _offset(graph: Graph, node: Node, offsets: dict[str, Tensor]) -> Tensor:
    inputs = [offsets.get(name, _nothing(graph[name])) for name in node.inputs]
    if isinstance(RULES[node.op.kind], SynapseRule):
        own = _own(node)
        return own + _through(node, inputs[0]) if node.inputs[0] in offsets else own
    if isinstance(node.op, Delay):
        return _nothing(node)
    if isinstance(node.op, RepeatTime | AddPerStep):
        return inputs[0]
    if isinstance(node.op, MaxPool) and not _per_channel(inputs[0]):
        why = "this max pool reads currents with a bias that differs between positions."
        raise NodeRefused(error(node, why, "Pool before what adds that bias."))
    op = cast(Stateless, node.op.cast(torch.float64))
    return op.apply(*(x.unsqueeze(0) for x in inputs)).squeeze(0)


def _nothing(node: Node) -> Tensor:
    return torch.zeros(node.shape, dtype=torch.float64)


def _own(node: Node) -> Tensor:
    bias = cast("Conv | Linear", node.op).bias
    if bias is None:
        return _nothing(node)
    # A convolution's channels are its first feature axis, a linear layer's its last.
    axis = 0 if isinstance(node.op, Conv) else len(node.shape) - 1
    shape = [-1 if i == axis else 1 for i in range(len(node.shape))]
    return bias.double().reshape(shape).expand(node.shape)


def _through(node: Node, offset: Tensor) -> Tensor:
    """What a layer makes of the constant that the currents it reads lack."""
    op = cast("Conv | Linear", node.op.cast(torch.float64))
    return with_weight(op, op.weight).apply(offset.unsqueeze(0)).squeeze(0)


def _per_channel(offset: Tensor) -> bool:
    flat = offset.flatten(1)
    return bool((flat == flat[:, :1]).all())


class Bias(NamedTuple):
    """What a neuron gets: mantissa (broadcasting, int32, None if zero) and exponent."""

    mantissa: Tensor | None
    exponent: int
    fits: bool
    """Whether the mantissa fits int16."""
    fits_chip: bool
    """Whether it fits the 13 bits of the chip."""
    error: float
    """Largest rounding error, in units of the current."""


def as_bias(offset: Tensor, unit: Fraction) -> Bias:
    """bias_mant, bias_exp for currents in this unit: the finest step that fits 13 bits.

    The membrane has 6 bits more than the current, so steps down to 2^-6 of a unit are possible.
    """
    value = _compressed(offset) / float(unit) * 2.0**CURRENT_SHIFT
    if not bool(value.any()):
        return Bias(None, 0, True, True, 0.0)
    mantissa, step = torch.round(value), 0
    for step in BIAS_EXPONENTS:
        mantissa = torch.round(value / 2**step)
        if float(mantissa.abs().max()) <= CHIP_BIAS_LIMIT:
            break
    largest = float(mantissa.abs().max())
    error = float((mantissa * 2**step - value).abs().max()) / 2**CURRENT_SHIFT
    fits = largest <= BIAS_LIMIT
    clamped = mantissa.clamp(-BIAS_LIMIT, BIAS_LIMIT).to(torch.int32)
    return Bias(clamped, step, fits, largest <= CHIP_BIAS_LIMIT, error)


def _compressed(offset: Tensor) -> Tensor:
    """Axes along which the values are all the same get size 1."""
    for axis in range(offset.ndim):
        first = offset.narrow(axis, 0, 1)
        if bool((offset == first).all()):
            offset = first
    return offset
