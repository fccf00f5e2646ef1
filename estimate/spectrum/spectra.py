"""The tap: spectra of all edges of a graph, streamed over batches."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from spikeport.convert.executor import Executor
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import MaxPool
from spikeport.core.errors import UsageError
from spikeport.estimate.spectrum.space import spaces
from spikeport.estimate.spectrum.spatial import MapSpectrum
from spikeport.estimate.spectrum.temporal import StepSpectrum

CONTROLS = ("average pooling", "subsampling")
"""What a max pooling is compared with: the same windows averaged, and their middles alone."""


class Spectra:
    """Spectra of every edge over the samples seen so far; no values are kept.

    Per edge three arrays of the size of a map, T // 2 + 1 numbers, and 16 bytes per sample. None
    depends on how samples were split into batches, but for rounding of float64 sums.

    Args:
        graph: the graph that the executors given to `run` run.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.spaces = spaces(graph)
        self.maps: dict[str, MapSpectrum] = {}
        """By node, for edges that are maps."""
        self.steps: dict[str, StepSpectrum] = {}
        """By node, for edges that exist at each of at least two steps."""
        self.controls: dict[tuple[str, str], MapSpectrum] = {}
        """By max pooling and entry of `CONTROLS`: what that would have made of the same input."""
        self.samples = 0
        self.time_steps: int | None = None

    def run(self, executor: Executor, frames: Tensor) -> Tensor:
        """Run one batch, `[T, B, *shape]` or `[B, *shape]`, and add its spectra.

        After an error the sums hold a part of the batch: begin anew.

        Returns:
            the executor's output.

        Raises:
            UsageError: T differs from earlier batches, a value is not finite, or the executor runs
                another graph.
        """
        timed = self.graph.input.per_step
        steps = frames.shape[0] if timed else None
        if self.samples and steps != self.time_steps:
            raise UsageError(
                f"samples of T = {self.time_steps} and of T = {steps} steps have different "
                "frequencies.",
                where="frames",
                fix="Frame all samples for the same number of time steps.",
            )
        self.time_steps = steps
        output = executor.run(frames, self._tap)
        self.samples += frames.shape[1 if timed else 0]
        return output

    def reason(self, name: str) -> str:
        """Why an edge has no spatial spectrum; empty if it has one."""
        return self.spaces[name].reason

    def _tap(self, node: Node, value: Tensor) -> None:
        if node.name not in self.spaces:
            raise UsageError(
                "the executor showed a node that this graph does not have.",
                where=node.path or node.name,
                fix="Take the spectra of the graph that the executor runs.",
            )
        try:
            self._add(node, value)
        except ValueError as error:
            raise UsageError(
                f"its values hold {error}, which have no spectrum.",
                where=node.path or node.name,
                fix="Check the frames and the weights.",
            ) from error

    def _add(self, node: Node, value: Tensor) -> None:
        if node.per_step and len(value) > 1:
            self.steps.setdefault(node.name, StepSpectrum(len(value))).add(value)
        space = self.spaces[node.name]
        if space.reason:
            return
        maps = space.maps(value if node.per_step else value.unsqueeze(0))
        self.maps.setdefault(node.name, _for(maps)).add(maps)
        for reader in self.graph.consumers(node.name):
            if isinstance(reader.op, MaxPool) and not self.spaces[reader.name].reason:
                self._add_controls(reader, reader.op, maps)

    def _add_controls(self, reader: Node, op: MaxPool, maps: Tensor) -> None:
        if len(op.kernel) != 2:
            return
        flat = maps.flatten(0, 1)
        pooled = F.avg_pool2d(flat, op.kernel, op.stride, op.padding, count_include_pad=False)
        windows = zip(op.kernel, op.stride, op.padding, flat.shape[-2:], strict=True)
        rows, columns = (
            [_middle(i, *window) for i in range(out)]
            for out, window in zip(pooled.shape[-2:], windows, strict=True)
        )
        picked = flat[..., rows, :][..., columns]
        for control, result in zip(CONTROLS, (pooled, picked), strict=True):
            shaped = result.reshape(*maps.shape[:3], *result.shape[-2:])
            held = self.controls.setdefault((reader.name, control), _for(shaped))
            held.add(shaped)


def _middle(index: int, kernel: int, stride: int, padding: int, size: int) -> int:
    """Where the middle of a window lies."""
    return max(0, min(index * stride - padding + (kernel - 1) // 2, size - 1))


def _for(maps: Tensor) -> MapSpectrum:
    return MapSpectrum(maps.shape[-2], maps.shape[-1])
