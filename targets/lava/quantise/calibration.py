"""What the float network does on calibration frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.core.errors import UsageError


@dataclass
class Observation:
    """Peaks and spikes of one run.

    Attributes:
        peaks: largest |x - bias| per edge that carries currents or counts.
        spikes: spikes per neuron layer, bool `[T, B, *feature]`.
        input_max: largest count in the frames.
    """

    peaks: dict[str, float] = field(default_factory=dict)
    spikes: dict[str, Tensor] = field(default_factory=dict)
    input_max: int = 0


def observe(graph: Graph, frames: Tensor, offsets: Mapping[str, Tensor]) -> Observation:
    """Run the float graph on frames `[T, B, *shape]` of event counts.

    Raises:
        UsageError: the frames are not whole numbers, negative, or more than was declared.
    """
    check_counts(frames, graph.input.name)
    seen = Observation(input_max=int(frames.max()) if frames.numel() else 0)
    check_declared(graph.input, seen.input_max)

    def tap(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            seen.spikes[node.name] = value.to(torch.bool)
        elif value.numel():
            offset = offsets.get(node.name)
            value = value if offset is None else value - offset.to(value.dtype)
            seen.peaks[node.name] = float(value.abs().max())

    Interpreter(graph, torch.float64).run(frames, tap)
    return seen


def check_counts(frames: Tensor, where: str) -> None:
    """Do nothing if all values are whole numbers and none is negative.

    Raises:
        UsageError: some are not.
    """
    values = frames if not frames.is_floating_point() else frames.double()
    if not bool((values == values.round()).all() if values.is_floating_point() else True):
        bad = values[values != values.round()].flatten()[0]
        raise UsageError(
            f"the frames hold {float(bad):g}, which is not a whole number.",
            where=where,
            fix="Give event counts: no normalisation, no interpolation, no NaN.",
        )
    if bool((values < 0).any()):
        raise UsageError(
            f"the frames hold {float(values.min()):g}; counts are not negative.",
            where=where,
            fix="Keep ON and OFF events in channels of their own.",
        )


def check_declared(node: Node, largest: int) -> None:
    """Do nothing if an input may hold counts this large by what it was declared as.

    Raises:
        UsageError: it was declared to hold spikes, which Lava's convolutions take as 0 or 1.
    """
    if node.domain is Domain.SPIKE and largest > 1:
        raise UsageError(
            f"the input was declared to hold spikes (0 or 1), and counts up to {largest} come.",
            where=node.name,
            fix="Trace the model with input_domain='graded', or clip the frames to 0 and 1.",
        )
