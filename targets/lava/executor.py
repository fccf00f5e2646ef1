"""The integer executor: Lava's arithmetic on batches, without Lava."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.core.errors import CheckFailed
from spikeport.targets.lava.entry import image_steps
from spikeport.targets.lava.frames import graph_entry, whole_frames
from spikeport.targets.lava.host import host_part, lava_part
from spikeport.targets.lava.kernels import Choice, Plan, plan
from spikeport.targets.lava.limits import CURRENT_LIMIT, EXACT_LIMIT
from spikeport.targets.lava.metadata import lava_metadata
from spikeport.targets.lava.retime import retime

CHUNK_BYTES = 1 << 24
"""Size of the largest value of a run where nobody watches.

Bounds memory, and is faster: it stays in the cache, and the allocator keeps its pages.
"""


class IntegerExecutor:
    """Runs a graph of whole numbers: batched, layer by layer over all time steps, exactly.

    Each layer runs in the fastest arithmetic that its bounds prove to be exact (`kernels` tells
    which): spikes with 8-bit weights in int8, neurons fused over time in int32, the rest in float32
    or float64. On other devices than the CPU, and with `check_values`, everything runs in float64.

    Spike by spike equal to Lava's process models, as the tests prove; batched and hundreds of
    times faster. What stands behind the last neuron is computed in float64.

    Args:
        graph: as made by `lower`.
        check_values: also check every edge on the way: whole, exact, and within what Lava's
            neurons read. Many times slower.

    Raises:
        UsageError: the graph has not been lowered.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        check_values: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        self._graph = graph
        metadata = lava_metadata(graph)
        self._input_max = int(metadata["input_max"])
        self._check_values = check_values
        part, on_cpu = lava_part(graph), torch.device(device).type == "cpu"
        entry = graph_entry(graph)
        planned = plan(part, entry.low, entry.high) if on_cpu and not check_values else None
        self._lava: Plan | Interpreter = planned or Interpreter(part, torch.float64, device)
        self._host = Interpreter(host_part(graph), torch.float64, device)
        self._steps = image_steps(graph)
        self._largest = max(math.prod(node.shape) for node in part)

    @property
    def kernels(self) -> tuple[Choice, ...]:
        """What computes each node on Lava, and what proves that to be exact."""
        if isinstance(self._lava, Plan):
            return self._lava.choices
        why = "values are checked" if self._check_values else "holds all whole numbers below 2^53"
        return tuple(Choice(node.name, "float64", why) for node in self._lava.graph)

    @property
    def graph(self) -> Graph:
        return self._graph

    @property
    def latency(self) -> int:
        """Steps by which the last neurons lag behind the input on Lava."""
        return retime(self._graph).depth

    @property
    def input_max(self) -> int:
        """Largest event count that head-room was proven for."""
        return self._input_max

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`.

        Args:
            frames: `[T, B, *shape]`, whole numbers from 0 to `input_max`; real values where the
                graph reads such, `[B, *shape]` where it repeats an image itself.

        Raises:
            UsageError: the frames do not suit the graph; see `whole_frames`.
            CheckFailed: with `check_values`, a value is not whole or too large for Lava.
        """
        frames = whole_frames(self.graph, frames)
        if tap is not None or self._check_values:
            return self._run(frames, tap)
        axis = 1 if self.graph.input.per_step else 0
        samples, steps = frames.shape[axis], self._steps or frames.shape[0]
        at_once = max(1, CHUNK_BYTES // (4 * self._largest * max(1, steps)))
        if samples <= at_once:
            return self._run(frames, None)
        chunks = torch.chunk(frames, -(-samples // at_once), dim=axis)
        batch_axis = 1 if self.graph[self.graph.outputs[0]].per_step else 0
        return torch.cat([self._run(chunk, None) for chunk in chunks], batch_axis)

    def _run(self, frames: Tensor, tap: Tap | None) -> Tensor:
        def on_lava(node: Node, value: Tensor) -> None:
            if self._check_values:
                self._check(node, value)
            if tap is not None:
                tap(node, value)

        def on_host(node: Node, value: Tensor) -> None:
            if tap is not None and node.inputs:  # the boundary was shown already
                tap(node, value)

        watched = tap is not None or self._check_values
        spikes = self._lava.run(frames, on_lava if watched else None)
        return self._host.run(spikes, on_host)

    def _check(self, node: Node, value: Tensor) -> None:
        if not value.numel():
            return
        _check_whole(node, value)
        readers = self.graph.consumers(node.name)
        reads = [reader for reader in readers if isinstance(reader.op, Neuron)]
        peak = float(value.abs().max())
        if reads and peak >= CURRENT_LIMIT:
            raise CheckFailed(
                f"it reads a current of {peak:.0f}; from {CURRENT_LIMIT} on Lava wraps around.",
                where=reads[0].path or reads[0].name,
                fix="Lower the graph again with headroom='static' or a larger input_max.",
            )


def _check_whole(node: Node, value: Tensor) -> None:
    if not bool((value == value.round()).all()) or float(value.abs().max()) >= EXACT_LIMIT:
        raise CheckFailed(
            "it emits values that are not exact whole numbers.",
            where=node.path or node.name,
            fix="Please report this graph: the lowering should have refused it.",
        )
