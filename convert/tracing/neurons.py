"""SpikingJelly neurons as ops of the graph, and as one opaque op for `torch.export`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from spikingjelly.activation_based import base, neuron
from torch import Tensor, nn

from spikeport.convert.ops import IF, LIF, Neuron
from spikeport.convert.ops.base import Stateful
from spikeport.convert.ops.parametric_lif import ParametricLIF
from spikeport.convert.tracing.channels import channel_neuron, is_per_channel, with_numbers
from spikeport.convert.tracing.membranes import MEMBRANES
from spikeport.core import neurons as fused
from spikeport.core.errors import UnsupportedError

Reader = Callable[[Any], Neuron]


def _read_if(module: Any) -> IF:
    return IF(v_threshold=module.v_threshold, v_reset=module.v_reset)


def _read_lif(module: Any) -> LIF:
    return LIF(
        tau=module.tau,
        decay_input=module.decay_input,
        v_threshold=module.v_threshold,
        v_reset=module.v_reset,
    )


def _read_parametric_lif(module: Any) -> ParametricLIF:
    return ParametricLIF(
        weight=module.w.detach().clone(),
        decay_input=module.decay_input,
        v_threshold=module.v_threshold,
        v_reset=module.v_reset,
    )


NEURONS: dict[type[nn.Module], Reader] = {
    neuron.IFNode: _read_if,
    neuron.LIFNode: _read_lif,
    neuron.ParametricLIFNode: _read_parametric_lif,
    fused.IFNode: _read_if,
    fused.LIFNode: _read_lif,
    fused.ParametricLIFNode: _read_parametric_lif,
}


@torch.library.custom_op("spikeport::neuron", mutates_args=())
def _opaque_neuron(current: Tensor, path: str) -> Tensor:
    return torch.zeros_like(current)


@_opaque_neuron.register_fake
def _(current: Tensor, path: str) -> Tensor:
    return torch.empty_like(current)


class OpaqueNeuron(nn.Module):
    """Stands for a neuron while a model is exported: keeps its place and shape, does nothing."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path
        # Models read and set these on their neurons.
        self.step_mode, self.backend = "m", "torch"

    def forward(self, current: Tensor) -> Tensor:
        result: Tensor = torch.ops.spikeport.neuron(current, self.path)
        return result


def neurons_of(model: nn.Module) -> dict[str, nn.Module]:
    """Every spiking neuron of a model by module path, whether it runs or not."""
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, neuron.BaseNode | base.MemoryModule) and hasattr(module, "v")
    }


_DYNAMICS = (
    "forward",
    "single_step_forward",
    "multi_step_forward",
    "single_step_functional_forward",
    "multi_step_functional_forward",
    "dynamics",
    "leak",
    "neuronal_charge",
    "neuronal_fire",
    "neuronal_reset",
)
"""Methods that a subclass must leave alone to count as its base class."""


def _known_class(cls: type[nn.Module]) -> type[nn.Module] | None:
    """The class in `NEURONS` whose dynamics `cls` has unchanged."""
    for base_class in cls.__mro__:
        if base_class in NEURONS:
            own = all(getattr(cls, m, None) is getattr(base_class, m, None) for m in _DYNAMICS)
            return base_class if own else None
    return None


def _refuse_changed(module: Any, path: str) -> None:
    reset = with_numbers(module).v_reset if hasattr(module, "v_reset") else 0.0
    resting = reset if isinstance(reset, float) else 0.0
    start = getattr(module, "_memories_rv", {}).get("v", resting)
    surrogate = getattr(module, "surrogate_function", None)
    findings = {
        "its surrogate function emits the surrogate itself (spiking=False)": not getattr(
            surrogate, "spiking", True
        ),
        "hooks may change what it reads or emits": module._forward_hooks
        or module._forward_pre_hooks,
        "it charges by (v + x) / 2, which rounds otherwise": getattr(module, "halving", False),
        f"its membrane starts at {start}, not at rest": isinstance(start, float)
        and start != resting,
    }
    for why, found in findings.items():
        if found:
            raise UnsupportedError(
                f"{why}.", where=path, fix="Trace the model with plain neurons that emit spikes."
            )


def read_neuron(module: nn.Module, path: str) -> Stateful:
    """The op of a neuron of SpikingJelly, or of a membrane of `spikeport.core.neurons`.

    Raises:
        UnsupportedError: its class has no op, it does not emit spikes or starts from another state
            than rest, or hooks change what it does.
    """
    if type(module) in MEMBRANES:
        _refuse_changed(module, path)
        return MEMBRANES[type(module)](module)
    known_class = _known_class(type(module))
    if known_class is None:
        known = ", ".join(cls.__name__ for cls in NEURONS)
        raise UnsupportedError(
            f"neuron {type(module).__name__} cannot be carried.",
            where=path,
            fix=f"Use one of {known} (or a subclass that leaves their dynamics alone).",
        )
    _refuse_changed(module, path)
    numbers = with_numbers(module)
    return (
        channel_neuron(numbers, path) if is_per_channel(numbers) else NEURONS[known_class](numbers)
    )
