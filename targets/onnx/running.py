"""Frames through the two kinds of file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import torch
from onnx import ModelProto
from torch import Tensor

from spikeport.convert.frames import check_shape
from spikeport.convert.graph import Graph, Node
from spikeport.core.errors import UsageError
from spikeport.targets.onnx.emitter import Array
from spikeport.targets.onnx.metadata import read_metadata
from spikeport.targets.onnx.session import Session

Show = Callable[[str, Tensor], None]
"""Called with the name of a node and its value, `[T, B, *shape]` or `[B, *shape]`."""


class UnrolledRunner:
    """The unrolled file in onnxruntime.

    Args:
        watch: nodes whose values are shown, too.
    """

    def __init__(self, model: ModelProto, graph: Graph, watch: Sequence[Node] = ()) -> None:
        told = read_metadata(model)
        self._graph, self._watch = graph, watch
        self.steps = int(told["steps"])
        self._dtype = told["dtype"]
        self._values: dict[str, str] = json.loads(told["values"])
        self._session = Session(model, [self._value(node) for node in watch])

    def _value(self, node: Node) -> str:
        return self._values.get(node.name, node.name)

    def run(self, frames: Tensor, show: Show | None = None) -> Tensor:
        """Frames `[T, B, *shape]` or images `[B, *shape]` to the output of the graph."""
        check_frames(self._graph, frames, self.steps)
        entry = self._graph.input.name
        feed = _array(frames, self._dtype)
        results = self._session.run({entry: feed})
        for node in self._watch if show is not None else ():
            name = self._value(node)
            value = results.get(name, feed)
            by_step = (self.steps, -1, *node.shape) if node.per_step else (-1, *node.shape)
            show(node.name, torch.from_numpy(value.reshape(by_step)))  # type: ignore[misc]
        return torch.from_numpy(results[self._session.outputs[0]])


class StepRunner:
    """The step file in onnxruntime, called once per step."""

    def __init__(self, model: ModelProto, graph: Graph, watch: Sequence[Node] = ()) -> None:
        told = read_metadata(model)
        self._graph, self._watch = graph, watch
        self._dtype = told["dtype"]
        self._states = json.loads(told["states"])
        self._session = Session(model, [node.name for node in watch])
        self.reset()

    def reset(self) -> None:
        """Every state back to what it is before the first step."""
        self._values: dict[str, Array] = {}

    def take_over(self, other: StepRunner) -> None:
        """Go on from the states of another runner of the same file."""
        self._values = other._values

    def step(self, frame: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The output `[B, *shape]` after a frame `[B, *shape]`, and the watched values."""
        states = self._values or self._rest(frame.shape[0])
        feeds = {self._graph.input.name: _array(frame, self._dtype), **states}
        results = self._session.run(feeds)
        self._values = {each["name"]: results[each["next"]] for each in self._states}
        watched = {
            node.name: torch.from_numpy(results[node.name])
            for node in self._watch
            if node.name in results
        }
        return torch.from_numpy(results[self._session.outputs[0]]), watched

    def stream(self, frames: Iterable[Tensor]) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
        """`step` for each frame, from rest."""
        self.reset()
        for frame in frames:
            yield self.step(frame)

    def run(self, frames: Tensor, steps: int, show: Show | None = None) -> Tensor:
        """As `UnrolledRunner.run`; an image is given at each of the steps."""
        per_step = self._graph.input.per_step
        steps = len(frames) if per_step else steps
        check_frames(self._graph, frames, steps)
        outputs, watched = [], dict[str, list[Tensor]]()
        for output, values in self.stream(frames if per_step else [frames] * steps):
            outputs.append(output)
            for name, value in values.items():
                watched.setdefault(name, []).append(value)
        for node in self._watch if show is not None else ():
            if node.name in watched:
                show(node.name, torch.stack(watched[node.name]))  # type: ignore[misc]
        last = self._graph[self._graph.outputs[0]]
        return torch.stack(outputs) if last.per_step else outputs[-1]

    def _rest(self, batch: int) -> dict[str, Array]:
        """Every state before the first step."""
        return {
            each["name"]: np.full(
                () if each["shape"] is None else (batch, *each["shape"]),
                each["initial"],
                dtype=each["dtype"],
            )
            for each in self._states
        }


def check_frames(graph: Graph, frames: Tensor, steps: int) -> None:
    """Do nothing if frames `[T, B, *shape]` or images `[B, *shape]` are what the graph takes.

    Raises:
        UsageError: they are not.
    """
    check_shape(graph, frames)
    node = graph.input
    if not frames.shape[1 if node.per_step else 0]:
        raise UsageError("the batch is empty.", where=node.name)
    if node.per_step and (len(frames) != steps or not steps):
        raise UsageError(
            f"{len(frames)} time steps were given; the unrolled graph has {steps}.",
            where=node.name,
            fix=f"Lower again with steps={len(frames)}, or run the step graph.",
        )


def _array(values: Tensor, dtype: str) -> Array:
    return np.ascontiguousarray(values.detach().cpu().numpy().astype(dtype))
