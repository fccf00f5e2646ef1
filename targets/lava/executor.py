"""The integer executor: Lava's arithmetic on batches, without Lava."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Neuron
from spikeport.core.errors import CheckFailed
from spikeport.targets.lava.frames import whole_frames
from spikeport.targets.lava.host import host_part, lava_part
from spikeport.targets.lava.limits import CURRENT_LIMIT, EXACT_LIMIT
from spikeport.targets.lava.metadata import lava_metadata

CHUNK = 128
"""Samples per run where nobody watches: bounds memory without costing speed."""


class IntegerExecutor:
    """Runs a graph of whole numbers in floating point that holds all of them exactly.

    That is float32 where the lowering proved every sum to stay below 2^24, else float64.

    Spike by spike equal to Lava's process models, as the tests prove; batched and hundreds of
    times faster. What stands behind the last neuron is computed in float64.

    Args:
        graph: as made by `lower`.
        check_values: also check every edge on the way: whole, exact, and within what Lava's
            neurons read. Twice as slow.

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
        self._input_max = int(lava_metadata(graph)["input_max"])
        self._check_values = check_values
        proven = bool(lava_metadata(graph).get("float32_exact", False))
        single = proven and not check_values and _keeps_float32(device)
        self._lava = Interpreter(
            lava_part(graph), torch.float32 if single else torch.float64, device
        )
        self._host = Interpreter(host_part(graph), torch.float64, device)

    @property
    def graph(self) -> Graph:
        return self._graph

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
        batch = 1 if self.graph.input.per_step else 0
        if tap is None and not self._check_values and frames.shape[batch] > CHUNK:
            chunks = torch.split(frames, CHUNK, dim=batch)
            batch_axis = 1 if self.graph[self.graph.outputs[0]].per_step else 0
            return torch.cat([self._run(chunk, None) for chunk in chunks], batch_axis)
        return self._run(frames, tap)

    def _run(self, frames: Tensor, tap: Tap | None) -> Tensor:
        def on_lava(node: Node, value: Tensor) -> None:
            if self._check_values:
                self._check(node, value)
            if tap is not None:
                tap(node, value)

        def on_host(node: Node, value: Tensor) -> None:
            if tap is not None and node.inputs:  # the boundary was shown already
                tap(node, value)

        spikes = self._lava.run(frames, on_lava)
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


def _keeps_float32(device: torch.device | str) -> bool:
    """Whether products are taken in full float32 there: GPUs may use fewer bits unasked."""
    full = torch.get_float32_matmul_precision() == "highest"
    return full and torch.device(device).type == "cpu"


def _check_whole(node: Node, value: Tensor) -> None:
    if not bool((value == value.round()).all()) or float(value.abs().max()) >= EXACT_LIMIT:
        raise CheckFailed(
            "it emits values that are not exact whole numbers.",
            where=node.path or node.name,
            fix="Please report this graph: the lowering should have refused it.",
        )
