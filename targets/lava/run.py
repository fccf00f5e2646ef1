"""Runs on Lava's process models, in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph
from spikeport.convert.ops import Neuron
from spikeport.targets.lava.conv_models import check_sizes
from spikeport.targets.lava.frames import stepped_frames
from spikeport.targets.lava.host import boundary_node, host_outputs
from spikeport.targets.lava.retime import Schedule, retime
from spikeport.targets.lava.shim import import_lava
from spikeport.targets.lowered import Run

Integers = npt.NDArray[np.int32]


def run_in_process(
    graph: Graph,
    frames: Tensor,
    *,
    schedule: Schedule | None = None,
    conv_model: type[Any] | None = None,
) -> Run:
    """Run an integer graph on Lava's process models, stepped in this process.

    Args:
        frames: what the graph takes; the samples are streamed back to back.
        schedule: another than that of `retime`, for experiments.
        conv_model: another model for Lava's `Conv` than the fast one.

    Raises:
        MissingPackageError: Lava is not installed.
        UsageError: the frames do not suit the graph, the schedule belongs to another one, or sizes
            are too large for `conv_model`.
        LavaRunError: a process model raised.
    """
    frames = stepped_frames(graph, frames)
    check_sizes(graph, conv_model)
    import_lava()
    from spikeport.targets.lava.network import build_network
    from spikeport.targets.lava.pump import pump

    network = build_network(graph, schedule or retime(graph), frames)
    started = monotonic()
    kept = pump(network, conv_model)
    return as_run(graph, kept, "Lava in-process", monotonic() - started)


def as_run(graph: Graph, kept: Mapping[str, Integers], backend: str, seconds: float) -> Run:
    """Kept values `[T, B, *shape]` by node, as a run with the outputs of the host's part."""
    spikes = {
        name: torch.from_numpy(kept[name].astype(bool))
        for name in kept
        if isinstance(graph[name].op, Neuron)
    }
    last = torch.from_numpy(np.ascontiguousarray(kept[boundary_node(graph)]))
    return Run(host_outputs(graph, last.double()), spikes, backend, seconds)


class LavaExecutor:
    """Lava behind the protocol of executors: `run` runs the samples of a batch back to back.

    A tap sees neurons only; currents stay inside Lava.

    Args:
        graph: as made by `lower`.
        runner: `run_in_process` or `run_on_lava`.
    """

    def __init__(
        self, graph: Graph, runner: Callable[[Graph, Tensor], Run] = run_in_process
    ) -> None:
        self._graph, self._runner = graph, runner

    @property
    def graph(self) -> Graph:
        return self._graph

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`.

        Raises:
            what the runner raises.
        """
        ran = self._runner(self._graph, frames)
        if tap is not None:
            for name, spikes in ran.spikes.items():
                tap(self._graph[name], spikes.double())
        return ran.outputs
