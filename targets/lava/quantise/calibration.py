"""What the float network does on calibration frames."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.core.errors import UsageError
from spikeport.targets.lava.entry import Entry
from spikeport.targets.lava.frames import check_counts, check_declared
from spikeport.targets.lava.quantise.options import LoweringOptions


@dataclass
class Observation:
    """Peaks and spikes of one run.

    Attributes:
        peaks: largest |x - bias| per edge that carries currents or counts.
        spikes: spikes per neuron layer, bool `[T, B, *feature]`.
        largest_input: largest magnitude in the frames.
    """

    peaks: dict[str, float] = field(default_factory=dict)
    spikes: dict[str, Tensor] = field(default_factory=dict)
    largest_input: float = 0.0


def observe(
    graph: Graph, frames: Tensor, offsets: Mapping[str, Tensor], percentile: float = 100.0
) -> Observation:
    """Run the float graph on frames: `[T, B, *shape]`, or images `[B, *shape]`.

    Args:
        percentile: which magnitude is the peak of an edge.

    Raises:
        UsageError: the frames hold NaN or infinity; or the input is declared as counts, and they
            are none, or more than spikes.
    """
    if graph.input.domain.is_whole:
        check_counts(frames, graph.input.name)
    largest = float(frames.double().abs().max()) if frames.numel() else 0.0
    if not math.isfinite(largest):
        raise UsageError(
            f"the calibration frames hold {largest}.",
            where=graph.input.name,
            fix="Give finite numbers: no scale can be chosen by these.",
        )
    check_declared(graph.input, int(largest))
    seen = Observation(largest_input=largest)

    def tap(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            seen.spikes[node.name] = value.to(torch.bool)
        elif value.numel():
            offset = offsets.get(node.name)
            value = value if offset is None else value - offset.to(value.dtype)
            seen.peaks[node.name] = _peak(value.abs(), percentile)

    Interpreter(graph, torch.float64).run(frames, tap)
    return seen


def _peak(magnitudes: Tensor, percentile: float) -> float:
    if percentile == 100.0:
        return float(magnitudes.max())
    rank = max(1, math.ceil(magnitudes.numel() * percentile / 100.0))
    return float(magnitudes.flatten().kthvalue(rank).values)


def choose_entry(graph: Graph, options: LoweringOptions, seen: Observation | None) -> Entry:
    """How the input is read, from the options and what calibration frames hold.

    Raises:
        UsageError: neither tells how large it can be.
    """
    if not graph.input.domain.is_whole:
        if options.input_range is not None:
            return Entry.images(options.input_range, options.input_bits)
        if seen is not None and seen.largest_input > 0:
            return Entry.images(seen.largest_input, options.input_bits)
        why, option = "how large a pixel can be is not known", "input_range"
    elif options.input_max is not None:
        return Entry.counts(options.input_max)
    elif graph.input.domain is Domain.SPIKE:
        return Entry.counts(1)
    elif seen is not None:
        # Other recordings hold larger counts than a few hundred do: twice that, up to 2^n - 1.
        return Entry.counts((1 << (2 * max(1, int(seen.largest_input))).bit_length()) - 1)
    else:
        why, option = "how many events a pixel can count per step is not known", "input_max"
    raise UsageError(
        f"{why}, so no head-room can be proven.",
        where=graph.input.name,
        fix=f"Give calibration frames, or the option {option}.",
    )
