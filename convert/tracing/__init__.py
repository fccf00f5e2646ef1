"""From an nn.Module with SpikingJelly neurons to a graph, proven spike by spike."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.convert.tracing import aten  # noqa: F401  (fills the table of ops)
from spikeport.convert.tracing.axes import Roles
from spikeport.convert.tracing.exporting import export
from spikeport.convert.tracing.neurons import neurons_of, read_neuron
from spikeport.convert.tracing.translator import Translator
from spikeport.core.errors import SpikeportError, UnsupportedError


def trace_unproven(
    model: nn.Module, sample: Tensor, *, input_domain: Domain | str = Domain.REAL
) -> Graph:
    """Trace without the parity run; see `spikeport.convert.trace`."""
    sample = _with_open_axes(sample.detach().cpu().to(_dtype_of(model)))
    neurons = {path: _read(module, path) for path, module in neurons_of(model).items()}
    refusals: list[SpikeportError] = []
    for open_axes in _hypotheses(sample):
        try:
            graph = _trace(model, sample, open_axes, neurons, Domain(input_domain))
        except SpikeportError as error:
            refusals.append(error)
        else:
            if graph is not None:
                return graph
    raise refusals[0]


def _hypotheses(sample: Tensor) -> tuple[int, ...]:
    """How many leading axes may be time or batch: one for a static image, two for a sequence."""
    return {2: (1,), 3: (2, 1), 4: (1, 2)}.get(sample.ndim, (2,))


def _trace(
    model: nn.Module,
    sample: Tensor,
    open_axes: int,
    neurons: Mapping[str, Neuron | SpikeportError],
    domain: Domain,
) -> Graph | None:
    """Trace under one hypothesis; None if the neurons contradict it."""
    program = export(model, sample, open_axes)
    search = Translator(program, neurons, Roles(), domain, open_axes, stop_at_neuron=True)
    search.run()
    if search.first_neuron is None:
        raise UnsupportedError(
            "no spiking neuron runs in the model's forward.",
            where=type(model).__name__,
            fix="Check that the neurons that it holds are called.",
        )
    time = search.first_neuron[0][0].name
    if time == "input:0" and open_axes == 1:
        return None
    batch = "input:1" if time == "input:0" else "input:0"
    graph = Translator(program, neurons, Roles(time, batch), domain, open_axes).run()
    graph.metadata["time_axis"] = int(time[-1]) if time.startswith("input") else None
    return graph


def _read(module: nn.Module, path: str) -> Neuron | SpikeportError:
    # A neuron that never runs may be of any kind.
    try:
        return read_neuron(module, path)
    except SpikeportError as error:
        return error


def _dtype_of(model: nn.Module) -> torch.dtype:
    floats = (p.dtype for p in model.parameters() if p.is_floating_point())
    return next(floats, torch.float32)


def _with_open_axes(sample: Tensor) -> Tensor:
    """At least two samples: `torch.export` treats an axis of size one as fixed."""
    if sample.ndim < 2:
        raise UnsupportedError(
            f"a sample of shape {list(sample.shape)} has no batch axis.",
            where="sample",
            fix="Give [B, C, H, W], [T, B, C, H, W] or [B, T, C, H, W].",
        )
    outer = 2 if sample.ndim >= 5 else 1
    repeats = [2 if axis < outer and size == 1 else 1 for axis, size in enumerate(sample.shape)]
    return sample.repeat(repeats)
