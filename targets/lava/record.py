"""Spikes of a run, by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.graph import Node
from spikeport.convert.ops import Neuron

Spikes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Record:
    """What one run emitted.

    Attributes:
        executor: what ran it.
        spikes: per neuron layer 0/1, `[T, B, *feature]`, in graph order.
        outputs: of the graph, `[B, *shape]` (or `[T, B, *shape]`), float64.
        seconds: wall time of the run, without preparation.
    """

    executor: str
    spikes: Mapping[str, Spikes]
    outputs: npt.NDArray[np.float64]
    seconds: float = 0.0


def record(executor: Executor, frames: Tensor, name: str = "integer executor") -> Record:
    """Run any executor and keep the spikes of every neuron layer."""
    spikes: dict[str, Spikes] = {}

    def tap(node: Node, value: Tensor) -> None:
        if isinstance(node.op, Neuron):
            spikes[node.name] = value.cpu().numpy().astype(np.uint8)

    outputs = executor.run(frames, tap)
    return Record(name, spikes, outputs.cpu().double().numpy())
