"""From an nn.Module to a flat list of aten ops with symbolic time and batch."""

from __future__ import annotations

import logging
import warnings

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from spikeport.convert.tracing.copying import copy_model
from spikeport.convert.tracing.neurons import OpaqueNeuron, neurons_of
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
    stripped = copy_model(model, replacements)
    try:
        with torch.no_grad():
            stripped(sample)
    except Exception as error:
        raise UnsupportedError(
            f"the model does not run on input {list(sample.shape)}: {_first_line(error)}",
            where=type(model).__name__,
            fix="Give the input shape that the model was built for.",
        ) from error
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


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
