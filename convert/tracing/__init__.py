"""From an nn.Module with SpikingJelly neurons to a graph, proven spike by spike."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.convert.tracing import aten  # noqa: F401  (fills the table of ops)
from spikeport.convert.tracing.axes import Roles
from spikeport.convert.tracing.exporting import export, fixed_axes, size_guards
from spikeport.convert.tracing.neurons import neurons_of, read_neuron
from spikeport.convert.tracing.translator import Translator
from spikeport.core.errors import SpikeportError, UnsupportedError, UsageError


def trace_unproven(
    model: nn.Module, sample: Tensor, *, input_domain: Domain | str = Domain.REAL
) -> Graph:
    """Trace without the parity run; see `spikeport.convert.trace`."""
    sample = check_sample(sample).detach().cpu().to(_dtype_of(model))
    neurons = {path: _read(module, path) for path, module in neurons_of(model).items()}
    refusals: list[SpikeportError] = []
    for open_axes in _hypotheses(sample):
        try:
            opened = _with_open_axes(sample, open_axes)
            graph = _trace(model, opened, open_axes, neurons, Domain(input_domain))
        except SpikeportError as error:
            refusals.append(error)
        else:
            if graph is not None:
                return graph
    if not refusals:
        raise UnsupportedError(
            f"in a sample of shape {list(sample.shape)} time is found, but no batch.",
            where="sample",
            fix="Give [T, B, features].",
        )
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
    graph.metadata["fixed_steps"] = _fixed_steps(program, sample, time, batch, open_axes)
    return graph


def _fixed_steps(
    program: ExportedProgram, sample: Tensor, time: str, batch: str, open_axes: int
) -> int | None:
    """T, if the model is only known to work for that number of steps.

    Raises:
        UnsupportedError: it does something else for other sizes of time or batch.
    """
    if guards := size_guards(program):
        raise UnsupportedError(
            f"its forward depends on the number of samples or time steps ({guards[0]}).",
            where="the model's own forward",
            fix="Remove the case distinction, or the use of x.shape as a number.",
        )
    fixed = fixed_axes(program, open_axes)
    if int(batch[-1]) in fixed:
        raise UnsupportedError(
            f"its forward works for batches of {sample.shape[int(batch[-1])]} only.",
            where="the model's own forward",
            fix="Read the batch size from x.shape where it is needed, and do not compute with it.",
        )
    on_time = time.startswith("input") and int(time[-1]) in fixed
    return int(sample.shape[int(time[-1])]) if on_time else None


def _read(module: nn.Module, path: str) -> Neuron | SpikeportError:
    # A neuron that never runs may be of any kind.
    try:
        return read_neuron(module, path)
    except SpikeportError as error:
        return error


def _dtype_of(model: nn.Module) -> torch.dtype:
    floats = (p.dtype for p in model.parameters() if p.is_floating_point())
    return next(floats, torch.float32)


def check_sample(sample: Tensor) -> Tensor:
    """A sample that can prove something.

    Raises:
        UsageError: no tensor, without batch axis, empty, or not finite.
    """
    if not isinstance(sample, Tensor):
        raise UsageError(f"a {type(sample).__name__} is no tensor.", where="sample")
    if sample.ndim < 2 or not sample.numel() or not torch.isfinite(sample).all():
        holds = f"has shape {list(sample.shape)}" if sample.numel() else "is empty"
        why = holds if sample.ndim < 2 or not sample.numel() else "holds NaN or infinity"
        raise UsageError(
            f"the sample {why}.",
            where="sample",
            fix="Give numbers as [B, C, H, W], [T, B, C, H, W] or [B, T, C, H, W].",
        )
    return sample


def _with_open_axes(sample: Tensor, open_axes: int) -> Tensor:
    """At least two steps and samples: `torch.export` treats an axis of size one as fixed."""
    repeats = [2 if axis < open_axes and size == 1 else 1 for axis, size in enumerate(sample.shape)]
    return sample.repeat(repeats)
