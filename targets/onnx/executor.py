"""onnxruntime as an executor: batches of any number of steps, values shown as they pass."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

import torch
from torch import Tensor

from spikeport.convert.executor import Tap, wants
from spikeport.convert.frames import check_shape
from spikeport.convert.graph import Graph
from spikeport.targets.onnx.files import prepared, unrolled_model
from spikeport.targets.onnx.options import OnnxOptions
from spikeport.targets.onnx.running import UnrolledRunner

CHUNK = 64
"""Samples per run: bounds memory."""
RUNNERS = 4
"""Sessions that are kept, by number of steps and by what is watched."""


class OnnxExecutor:
    """Runs the unrolled graph, written anew for each number of steps that comes.

    Args:
        graph: as traced.
        dtype: what it computes in.

    Raises:
        UnsupportedError: the graph cannot be written in ONNX.
    """

    def __init__(self, graph: Graph, dtype: Literal["float32", "float64"] = "float32") -> None:
        self._options = OnnxOptions(dtype=dtype, streaming=False)
        self._graph = prepared(graph, self._options)
        self._runners: OrderedDict[tuple[int | None, tuple[str, ...]], UnrolledRunner]
        self._runners = OrderedDict()

    def __getstate__(self) -> dict[str, object]:
        # Sessions of onnxruntime stay where they are; another process opens its own.
        return {**self.__dict__, "_runners": OrderedDict()}

    @property
    def graph(self) -> Graph:
        return self._graph

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`.

        Raises:
            UsageError: the frames do not suit the graph.
            OnnxRunError: onnxruntime failed.
        """
        check_shape(self._graph, frames)
        per_step = self._graph.input.per_step
        watched = tuple(node.name for node in self._graph if wants(tap, node))
        runner = self._runner(len(frames) if per_step and len(frames) else None, watched)
        chunks = torch.split(frames, CHUNK, dim=1 if per_step else 0)
        joined = 1 if self._graph[self._graph.outputs[0]].per_step else 0
        shown: dict[str, list[Tensor]] = {}
        output = torch.cat(
            [
                runner.run(chunk, lambda name, value: shown.setdefault(name, []).append(value))
                for chunk in chunks
            ],
            joined,
        )
        for name in watched if tap is not None else ():
            node = self._graph[name]
            tap(node, torch.cat(shown.pop(name), 1 if node.per_step else 0))  # type: ignore[misc]
        return output

    def _runner(self, steps: int | None, watched: tuple[str, ...]) -> UnrolledRunner:
        if (steps, watched) not in self._runners:
            options = self._options.model_copy(update={"steps": steps})
            model = unrolled_model(self._graph, options)
            watch = [self._graph[name] for name in watched]
            self._runners[steps, watched] = UnrolledRunner(model, self._graph, watch)
            if len(self._runners) > RUNNERS:
                self._runners.popitem(last=False)
        self._runners.move_to_end((steps, watched))
        return self._runners[steps, watched]
