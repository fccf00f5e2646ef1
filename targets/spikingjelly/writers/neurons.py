"""Neurons."""

from __future__ import annotations

from typing import Any

from spikingjelly.activation_based import neuron
from torch import Tensor, nn

from spikeport.convert.ops import IF, LIF, ChannelNeuron, ParametricLIF
from spikeport.targets.spikingjelly.writers.base import Where, parameter, writes


@writes(IF)
def integrate_and_fire(op: IF, where: Where) -> Any:
    return _made(neuron.IFNode, op, where)


@writes(LIF)
def leaky(op: LIF, where: Where) -> Any:
    if op.tau <= 1:
        raise where.refuse(
            f"SpikingJelly's LIFNode takes no time constant of {op.tau} steps.",
            "It must be above 1; an integrate-and-fire neuron has none.",
        )
    return _made(neuron.LIFNode, op, where, tau=float(op.tau), decay_input=op.decay_input)


@writes(ParametricLIF)
def parametric(op: ParametricLIF, where: Where) -> Any:
    module = _made(neuron.ParametricLIFNode, op, where, decay_input=op.decay_input)
    module.w = parameter(op.weight)
    return module


@writes(ChannelNeuron)
def per_channel(op: ChannelNeuron, where: Where) -> Any:
    """Buffers in the place of the numbers that SpikingJelly's classes hold."""
    settings = {} if op.tau is None and op.weight is None else {"decay_input": op.decay_input}
    cls = (
        neuron.ParametricLIFNode
        if op.weight is not None
        else neuron.IFNode
        if op.tau is None
        else neuron.LIFNode
    )
    module: Any = cls(v_threshold=1.0, v_reset=op.v_reset, step_mode=where.mode, **settings)
    _replace(module, "v_threshold", op.v_threshold)
    if op.tau is not None:
        _replace(module, "tau", op.tau)
    if op.weight is not None:
        module.w = parameter(op.weight)
    return module


def _made(cls: Any, op: IF | LIF | ParametricLIF, where: Where, **settings: Any) -> Any:
    return cls(
        v_threshold=float(op.v_threshold),
        v_reset=None if op.v_reset is None else float(op.v_reset),
        step_mode=where.mode,
        **settings,
    )


def _replace(module: nn.Module, name: str, value: Tensor) -> None:
    delattr(module, name)
    module.register_buffer(name, value.detach().clone())
