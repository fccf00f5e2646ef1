"""From an nn.Module with SpikingJelly neurons to a graph, proven spike by spike."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from spikeport.convert.domain import Domain
from spikeport.convert.frames import repeats
from spikeport.convert.graph import Graph
from spikeport.convert.ops.base import Stateful
from spikeport.convert.tracing import aten  # noqa: F401  (fills the table of ops)
from spikeport.convert.tracing.axes import Roles
from spikeport.convert.tracing.exporting import export, fixed_axes, size_guards
from spikeport.convert.tracing.layout import (
    IMAGE,
    Hypothesis,
    Layout,
    check_sample,
    hypotheses,
    parse_layout,
    with_open_axes,
)
from spikeport.convert.tracing.modes import loops_of, single_step_neurons
from spikeport.convert.tracing.neurons import neurons_of, read_neuron
from spikeport.convert.tracing.reader import repeats_in
from spikeport.convert.tracing.single_step import read_sample
from spikeport.convert.tracing.translator import Translator
from spikeport.core.errors import SpikeportError, UnsupportedError, UsageError

__all__ = ["check_sample", "trace_unproven"]


def trace_unproven(
    model: nn.Module,
    sample: Tensor,
    *,
    input_domain: Domain | str = Domain.REAL,
    layout: str | None = None,
    steps: int | None = None,
) -> Graph:
    """Trace without the parity run; see `spikeport.convert.trace`."""
    declared = parse_layout(layout)
    sample = check_sample(sample, declared, steps).detach().cpu().to(_dtype_of(model))
    known, loops = neurons_of(model), loops_of(model)
    neurons = {path: _read(module, path) for path, module in known.items()}
    single = single_step_neurons(model, known, loops)
    if single and single == set(known):
        return _trace_one_step(model, sample, neurons, Domain(input_domain), declared, steps)
    for path in single:
        neurons[path] = _in_wrong_mode(path)
    graph = _trace_sequence(model, sample, neurons, Domain(input_domain), declared)
    _check_declared_steps(graph, sample, steps)
    return graph


Neurons = Mapping[str, Stateful | SpikeportError]


def _trace_one_step(
    model: nn.Module,
    sample: Tensor,
    neurons: Neurons,
    domain: Domain,
    layout: Layout | None,
    steps: int | None,
) -> Graph:
    """Trace a model whose time loop is outside."""
    reading = read_sample(model, sample, layout, steps, where=min(neurons))
    frame = sample if reading.time is None else sample.select(reading.time, 0)
    frame = with_open_axes(frame, 1)
    program = export(model, frame, 1)
    roles = Roles(time=None, batch="input:0")
    graph = Translator(
        program, neurons, roles, domain, 1, steps=steps if reading.time is None else None
    ).run()
    _fixed_steps(program, frame, IMAGE)
    graph.metadata |= {"time_axis": reading.time, "fixed_steps": None, "single_step": True}
    return graph


def _trace_sequence(
    model: nn.Module, sample: Tensor, neurons: Neurons, domain: Domain, layout: Layout | None
) -> Graph:
    """Trace a model that takes whole sequences; its neurons tell which axis is time.

    Raises:
        SpikeportError: what stopped the reading of the sample that got furthest.
    """
    refusals: list[tuple[int, SpikeportError]] = []
    exported: dict[int, ExportedProgram] = {}
    for reading in hypotheses(sample, layout):
        opened = with_open_axes(sample, reading.open_axes)
        try:
            if reading.open_axes not in exported:
                exported[reading.open_axes] = export(model, opened, reading.open_axes)
        except SpikeportError as error:
            refusals.append((0, error))
            continue
        program = exported[reading.open_axes]
        _require_neurons(model, program)
        # A static image has its time axis from one of the repeats inside the model.
        times = repeats_in(program) if reading.time is None else [f"input:{reading.time}"]
        for time in times:
            roles = Roles(time, batch=f"input:{reading.batch}")
            walk = Translator(program, neurons, roles, domain, reading.open_axes)
            try:
                graph = walk.run()
                fixed = _fixed_steps(program, opened, reading)
            except SpikeportError as error:
                refusals.append((walk.progress, error))
                continue
            graph.metadata |= {"time_axis": reading.time, "fixed_steps": fixed}
            return graph
    if not refusals:
        raise UnsupportedError(
            f"in a sample {list(sample.shape)} there is no batch beside a time axis, and the model "
            "makes no time axis.",
            where="sample",
            fix="Give [T, B, ...] or [B, T, ...], or repeat the image over time in the model.",
        )
    raise max(refusals, key=lambda refusal: refusal[0])[1]


def _require_neurons(model: nn.Module, program: ExportedProgram) -> None:
    if not any("spikeport.neuron" in str(node.target) for node in program.graph.nodes):
        raise UnsupportedError(
            "no spiking neuron runs in the model's forward.",
            where=type(model).__name__,
            fix="Check that the neurons that it holds are called.",
        )


def _check_declared_steps(graph: Graph, sample: Tensor, steps: int | None) -> None:
    time = graph.metadata["time_axis"]
    found = set(repeats(graph)) if time is None else {int(sample.shape[time])}
    if steps is not None and found != {steps}:
        told = " and ".join(str(number) for number in sorted(found)) or "none"
        raise UsageError(
            f"the model runs {told} time steps on this sample, not {steps}.",
            where="steps",
            fix="Leave out steps: it is for models whose time loop is outside.",
        )


def _in_wrong_mode(path: str) -> UnsupportedError:
    return UnsupportedError(
        "this neuron runs in single-step mode, others in multi-step mode.",
        where=path,
        fix="Call spikingjelly.activation_based.functional.set_step_mode(model, 'm') and give "
        "input with a time axis, or set all neurons to 's' and give steps.",
    )


def _fixed_steps(program: ExportedProgram, sample: Tensor, reading: Hypothesis) -> int | None:
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
    fixed = fixed_axes(program, reading.open_axes)
    if reading.batch in fixed:
        raise UnsupportedError(
            f"its forward works for batches of {sample.shape[reading.batch]} only.",
            where="the model's own forward",
            fix="Read the batch size from x.shape where it is needed, and do not compute with it.",
        )
    return int(sample.shape[reading.time]) if reading.time in fixed else None


def _read(module: nn.Module, path: str) -> Stateful | SpikeportError:
    # A neuron that never runs may be of any kind.
    try:
        return read_neuron(module, path)
    except SpikeportError as error:
        return error


def _dtype_of(model: nn.Module) -> torch.dtype:
    floats = (p.dtype for p in model.parameters() if p.is_floating_point())
    return next(floats, torch.float32)
