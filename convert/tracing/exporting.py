"""From an nn.Module to a flat list of aten ops with symbolic time and batch."""

from __future__ import annotations

import logging
import re
import warnings
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from spikeport.convert.tracing.loops import body_once
from spikeport.convert.tracing.modes import loops_of
from spikeport.convert.tracing.neurons import OpaqueNeuron, neurons_of
from spikeport.core.copying import copy_model
from spikeport.core.errors import UnsupportedError


def export(model: nn.Module, sample: Tensor, open_axes: int) -> ExportedProgram:
    """Export a copy of the model with each neuron as one opaque op.

    Args:
        open_axes: number of leading axes (time, batch) whose size stays symbolic.

    Raises:
        UnsupportedError: the model does not run on the sample, or `torch.export` cannot follow it.
    """
    replacements: dict[nn.Module, nn.Module] = {
        module: OpaqueNeuron(path) for path, module in neurons_of(model).items()
    }
    if not replacements:
        raise UnsupportedError(
            "the model holds no spiking neuron of SpikingJelly.",
            where=type(model).__name__,
            fix="Build it with spikingjelly.activation_based.neuron nodes.",
        )
    try:
        with torch.no_grad():
            # On a copy of its own: a forward may leave something behind in the model.
            copy_model(model, replacements)(sample)
    except Exception as error:
        raise UnsupportedError(
            f"the model does not run on input {list(sample.shape)}: {_first_line(error)}",
            where=type(model).__name__,
            fix="Give the input shape that the model was built for.",
        ) from error
    stripped = copy_model(model, replacements)
    for path, loop in loops_of(stripped).items():
        loop.__dict__["forward"] = body_once(loop, path)
    symbolic = {axis: Dim.AUTO for axis in range(open_axes)}
    noisy = logging.getLogger("torch")
    level = noisy.level
    noisy.setLevel(logging.CRITICAL)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(
                stripped, (sample,), dynamic_shapes=(symbolic,), strict=False
            )
    except Exception as error:
        raise UnsupportedError(
            f"torch.export cannot follow the model: {_first_line(error)}",
            where=type(model).__name__,
            fix="Remove control flow that depends on values, and Python side effects, from its "
            "forward.",
        ) from error
    finally:
        noisy.setLevel(level)


_ONE_SIZE = re.compile(r".*\.size\(\)\[(\d)\] == \d+")
_SMALLEST_OPEN = 2
"""`torch.export` takes a symbolic size to be at least this."""


def size_guards(program: ExportedProgram) -> list[str]:
    """Conditions on the sizes of time and batch that the forward was exported under.

    A forward that asks for them (`if x.shape[0] > 2`) is exported for one answer only. Sizes that
    are fixed to one number are told by `fixed_axes`.
    """
    guards = [guard for guard in _guards(program) if not _ONE_SIZE.fullmatch(guard)]
    # The guards are not public, so what public attributes tell is looked at too.
    for symbol, span in program.range_constraints.items():
        fixed = span.lower == span.upper
        if not fixed and (int(span.lower) > _SMALLEST_OPEN or not _is_unbounded(span.upper)):
            guards.append(f"{symbol} in {span.lower}..{span.upper}")
    return guards


def fixed_axes(program: ExportedProgram, open_axes: int) -> set[int]:
    """Which leading axes of the input the forward was exported for one size of."""
    (name,) = program.graph_signature.user_inputs
    node = next(n for n in program.graph.nodes if n.op == "placeholder" and n.name == name)
    shape = node.meta["val"].shape
    by_shape = {axis for axis in range(open_axes) if isinstance(shape[axis], int)}
    matches = map(_ONE_SIZE.fullmatch, _guards(program))
    return by_shape | {int(found[1]) for found in matches if found}


def _guards(program: ExportedProgram) -> list[str]:
    return [str(guard) for guard in getattr(program, "_guards_code", None) or []]


def _is_unbounded(upper: Any) -> bool:
    return "oo" in str(upper) or int(upper) > 2**31


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
