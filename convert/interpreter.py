"""The interpreter: defines what a graph means. Every other executor is tested against it."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, MeanTime, Neuron, RepeatTime, Stateless
from spikeport.core.errors import UnsupportedError, UsageError


class Interpreter:
    """Runs a graph node by node, each over all time steps at once; neurons step through time.

    Args:
        dtype: float64 for proofs, float32 for speed. Whole numbers below 2^53 are exact in float64.
    """

    def __init__(
        self,
        graph: Graph,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        if len(graph.outputs) != 1:
            raise UnsupportedError(f"a graph with {len(graph.outputs)} outputs cannot be run.")
        self._graph = graph
        self.dtype, self.device = dtype, torch.device(device)
        self._ops = {node.name: node.op.cast(dtype, device) for node in graph}
        self._last_reader = {source: node.name for node in graph for source in node.inputs}

    @property
    def graph(self) -> Graph:
        return self._graph

    @torch.no_grad()
    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`.

        Raises:
            UsageError: the frames do not have the shape that the graph was traced for.
        """
        frames = frames.to(device=self.device, dtype=self.dtype)
        self._check(frames)
        values: dict[str, Tensor] = {}
        for node in self._graph:
            sources = [values[name] for name in node.inputs]
            values[node.name] = (
                frames if isinstance(node.op, Input) else self._compute(node, sources)
            )
            if tap is not None:
                tap(node, values[node.name])
            for name in set(node.inputs):
                if self._last_reader[name] == node.name and name not in self._graph.outputs:
                    del values[name]
        return values[self._graph.outputs[0]]

    def _check(self, frames: Tensor) -> None:
        node = self._graph.input
        axes = ("T", "B") if node.per_step else ("B",)
        if tuple(frames.shape[len(axes) :]) != node.shape or frames.ndim != len(axes) + len(
            node.shape
        ):
            expected = ", ".join((*axes, *map(str, node.shape)))
            raise UsageError(
                f"the graph takes input [{expected}], not {list(frames.shape)}.",
                where=node.name,
                fix="Frame the data for this size, or trace the model again for the other size.",
            )
        fixed = self._graph.metadata.get("fixed_steps")
        if node.per_step and (not len(frames) or (fixed is not None and len(frames) != fixed)):
            raise UsageError(
                f"{len(frames)} time steps were given; it takes {fixed or 'one or more'}.",
                where=node.name,
                fix="Frame the data into that many steps; the model computes with their number.",
            )

    def _compute(self, node: Node, sources: list[Tensor]) -> Tensor:
        op = self._ops[node.name]
        if isinstance(op, Stateless):
            return self._stateless(node, op, sources)
        if isinstance(op, Neuron):
            return self._neuron(node, op, sources[0])
        if isinstance(op, MeanTime):
            return sources[0].mean(0)
        if isinstance(op, RepeatTime):
            return sources[0].unsqueeze(0).expand(op.steps, *sources[0].shape)
        raise UnsupportedError(f"the interpreter has no rule for {op.kind}.", where=node.path)

    def _stateless(self, node: Node, op: Stateless, sources: list[Tensor]) -> Tensor:
        if not node.per_step:
            return op.apply(*sources)
        stepped = [self._graph[name].per_step for name in node.inputs]
        steps = next(x.shape[0] for x, has_time in zip(sources, stepped, strict=True) if has_time)
        merged = [
            (x if has_time else x.unsqueeze(0).expand(steps, *x.shape)).flatten(0, 1)
            for x, has_time in zip(sources, stepped, strict=True)
        ]
        result = op.apply(*merged)
        return result.reshape(steps, -1, *result.shape[1:])

    def _neuron(self, node: Node, op: Neuron, current: Tensor) -> Tensor:
        if not self._graph[node.inputs[0]].per_step:
            raise UnsupportedError(
                "this neuron reads a value without time axis.",
                where=node.path or node.name,
                fix="Repeat the input over the time steps before it.",
            )
        spikes = torch.empty_like(current)
        state = op.initial(current[0])
        for step, x in enumerate(current):
            state, spikes[step] = op.step(state, x)
        return spikes
