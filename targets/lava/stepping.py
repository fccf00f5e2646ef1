"""Lava's arithmetic, one time step at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.stepping import StepInterpreter
from spikeport.convert.streaming import require_streamable
from spikeport.targets.lava.frames import whole_frames
from spikeport.targets.lava.host import host_part, lava_part


class IntegerStepExecutor:
    """`IntegerExecutor` frame by frame: float64 holds all its whole numbers, so spikes are equal.

    See `StepExecutor`. As there, spikes of the last neurons are not late; on Lava they are.

    Args:
        graph: as made by `lower`.

    Raises:
        UsageError: the graph has not been lowered, or a frame counts more events in a pixel than
            head-room was proven for.
        UnsupportedError: the graph cannot be streamed.
    """

    def __init__(self, graph: Graph, device: torch.device | str = "cpu") -> None:
        require_streamable(graph)
        self._graph = graph
        self._lava = StepInterpreter(lava_part(graph), torch.float64, device)
        self._host = StepInterpreter(host_part(graph), torch.float64, device)

    @property
    def graph(self) -> Graph:
        return self._graph

    def reset(self) -> None:
        self._lava.reset()
        self._host.reset()

    def step(self, frame: Tensor, tap: Tap | None = None) -> Tensor:
        (whole,) = whole_frames(self._graph, frame.unsqueeze(0))

        def on_host(node: Node, value: Tensor) -> None:
            if tap is not None and node.inputs:  # the boundary was shown already
                tap(node, value)

        return self._host.step(self._lava.step(whole, tap), on_host)
