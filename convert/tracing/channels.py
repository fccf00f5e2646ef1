"""Neurons whose parameters are tensors: one number in a tensor, or one per channel."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from spikeport.convert.ops import ChannelNeuron
from spikeport.core.errors import UnsupportedError

_PARAMETERS = ("v_threshold", "v_reset", "tau", "w")


def with_numbers(module: Any) -> Any:
    """The neuron, or its parameters with numbers in place of tensors that hold only one."""
    values = {name: getattr(module, name) for name in _PARAMETERS if hasattr(module, name)}
    single = {
        name: float(value.detach())
        for name, value in values.items()
        if isinstance(value, Tensor) and value.numel() == 1 and name != "w"
    }
    if not single:
        return module
    return SimpleNamespace(**{**values, **single}, decay_input=getattr(module, "decay_input", True))


def is_per_channel(numbers: Any) -> bool:
    """Whether a parameter differs between channels."""
    values = (getattr(numbers, name, None) for name in _PARAMETERS)
    return any(isinstance(value, Tensor) and value.numel() > 1 for value in values)


def channel_neuron(numbers: Any, path: str) -> ChannelNeuron:
    """The op of a neuron with parameters per channel.

    Raises:
        UnsupportedError: its reset value differs between channels, or a time constant is none.
    """
    if isinstance(numbers.v_reset, Tensor):
        raise UnsupportedError(
            "its v_reset differs between channels, but its membrane starts at one value.",
            where=path,
            fix="Use one reset value, or v_reset=None (soft reset).",
        )
    try:
        return ChannelNeuron(
            tau=_tensor(getattr(numbers, "tau", None)),
            weight=_tensor(getattr(numbers, "w", None)),
            decay_input=bool(getattr(numbers, "decay_input", True)),
            v_threshold=_exact(numbers.v_threshold),
            v_reset=numbers.v_reset,
        )
    except ValueError as error:
        raise UnsupportedError(
            f"{error}.", where=path, fix="Give time constants above 0."
        ) from error


def _tensor(value: Any) -> Tensor | None:
    return None if value is None else _exact(value)


def _exact(value: Any) -> Tensor:
    # A number beside tensors keeps its double precision.
    exact = value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
    return exact.detach().clone()
