"""SpikingJelly neurons as ops of the graph, and as one opaque op for `torch.export`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from spikingjelly.activation_based import base, neuron
from torch import Tensor, nn

from spikeport.convert.ops import IF, LIF, Neuron
from spikeport.convert.ops.parametric_lif import ParametricLIF
from spikeport.core.errors import UnsupportedError

Reader = Callable[[Any], Neuron]
NEURONS: dict[type[nn.Module], Reader] = {
    neuron.IFNode: lambda m: IF(v_threshold=m.v_threshold, v_reset=m.v_reset),
    neuron.LIFNode: lambda m: LIF(
        tau=m.tau, decay_input=m.decay_input, v_threshold=m.v_threshold, v_reset=m.v_reset
    ),
    neuron.ParametricLIFNode: lambda m: ParametricLIF(
        weight=m.w.detach().clone(),
        decay_input=m.decay_input,
        v_threshold=m.v_threshold,
        v_reset=m.v_reset,
    ),
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


def read_neuron(module: nn.Module, path: str) -> Neuron:
    """The op of a SpikingJelly neuron.

    Raises:
        UnsupportedError: its class has no op, or it runs in single-step mode.
    """
    reader = next((NEURONS[cls] for cls in type(module).__mro__ if cls in NEURONS), None)
    if reader is None:
        known = ", ".join(cls.__name__ for cls in NEURONS)
        raise UnsupportedError(
            f"neuron {type(module).__name__} cannot be carried.",
            where=path,
            fix=f"Use one of {known} (or a subclass with the same dynamics).",
        )
    if getattr(module, "step_mode", "m") != "m":
        raise UnsupportedError(
            "this neuron runs in single-step mode, so the time loop is outside the model.",
            where=path,
            fix="Call spikingjelly.activation_based.functional.set_step_mode(model, 'm') and give "
            "input with a time axis.",
        )
    op = reader(module)
    for name in ("v_threshold", "v_reset"):
        value = getattr(op, name)
        if value is not None and not isinstance(value, float):
            raise UnsupportedError(
                f"its {name} is a {type(value).__name__}, not a number.",
                where=path,
                fix="Only one constant for the whole layer can be carried.",
            )
    return op
