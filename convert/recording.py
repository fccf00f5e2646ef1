"""What the user's model emits, spike by spike, in float64."""

from __future__ import annotations

from typing import Any

import torch
from spikingjelly.activation_based import functional
from torch import Tensor, nn

from spikeport.convert.frames import repeats
from spikeport.convert.graph import Graph
from spikeport.convert.tracing.single_step import frames_of
from spikeport.core.copying import copy_model
from spikeport.core.errors import UnsupportedError


def currents_of(graph: Graph, model: nn.Module, sample: Tensor, path: str) -> Tensor:
    """What one neuron of the model reads, `[T, B, *shape]`; see `record`."""
    reference = copy_model(model).double()
    functional.reset_net(reference)
    read: list[Tensor] = []

    def keep(module: Any, inputs: Any) -> None:
        one_step = getattr(module, "step_mode", "m") == "s"
        read.append(inputs[0].detach().unsqueeze(0) if one_step else inputs[0].detach())

    reference.get_submodule(path).register_forward_pre_hook(keep)
    with torch.no_grad():
        _run(graph, reference, sample)
    return torch.cat(read)


def record(graph: Graph, model: nn.Module, sample: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Run a copy of the model from rest as the graph says that it is called.

    Args:
        sample: float64, in the model's own layout.

    Returns:
        the spikes of each neuron that ran by module path, `[T, B, *shape]` (as bool if they are 0
        or 1), and the output.

    Raises:
        UnsupportedError: the model does not run in float64, or returns no tensor.
    """
    reference = copy_model(model).double()
    functional.reset_net(reference)
    spikes: dict[str, list[Tensor]] = {}

    def keep(path: str) -> Any:
        def hook(module: Any, _inputs: Any, output: Tensor) -> None:
            output = output.detach()
            one_step = getattr(module, "step_mode", "m") == "s"
            steps = output.unsqueeze(0) if one_step else output
            spikes.setdefault(path, []).append(_compact(steps))

        return hook

    for path, module in reference.named_modules():
        if hasattr(module, "v_threshold"):
            module.register_forward_hook(keep(path))
    try:
        with torch.no_grad():
            logits = _run(graph, reference, sample)
    except Exception as error:
        raise UnsupportedError(
            f"the model does not run in float64: {type(error).__name__}: {error}",
            where=type(model).__name__,
            fix="Register constants as buffers, so that they follow the model's type.",
        ) from error
    if not isinstance(logits, Tensor):
        raise UnsupportedError(
            f"the model returns a {type(logits).__name__}.",
            where=type(model).__name__,
            fix="Return the logits only, in eval mode.",
        )
    return {path: torch.cat(parts) for path, parts in spikes.items()}, logits


def _run(graph: Graph, reference: nn.Module, sample: Tensor) -> Any:
    if not graph.metadata.get("single_step"):
        return reference(sample)
    steps = next(iter(repeats(graph)), None)
    frames = frames_of(sample, graph.metadata["time_axis"], steps)
    outputs = [reference(frame) for frame in frames]
    return torch.stack(outputs) if all(isinstance(y, Tensor) for y in outputs) else outputs[0]


def _compact(spikes: Tensor) -> Tensor:
    """Bools if they say the same."""
    as_bool = spikes != 0
    return as_bool if bool((spikes == as_bool).all()) else spikes
