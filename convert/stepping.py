"""What runs a graph one time step at a time, its state carried from step to step."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    AddPerStep,
    Delay,
    Input,
    NeuronState,
    OverTime,
    Stateful,
    Stateless,
)
from spikeport.convert.streaming import check_frame, check_step, require_streamable
from spikeport.core.errors import UnsupportedError


class StepExecutor(Protocol):
    """Runs a graph frame by frame.

    T steps from rest give what `Executor.run` gives for these T frames: the output of each step,
    or, where the graph ends in a sum or mean over time, that of the steps since rest.
    """

    @property
    def graph(self) -> Graph: ...

    def reset(self) -> None:
        """Back to rest: membranes, delayed values, sums over time, number of the step."""
        ...

    def step(self, frame: Tensor, tap: Tap | None = None) -> Tensor:
        """Take one step.

        Args:
            frame: `[B, *shape]`; B may change at rest only.
            tap: shown the output of every node as it passes, `[1, B, *shape]` where it exists per
                step, else `[B, *shape]`. Some executors show neurons only.

        Returns:
            the output after this step, `[B, *shape]`.

        Raises:
            UsageError: the frame has another shape, or the network is made for fewer steps.
        """
        ...


class StepInterpreter:
    """`Interpreter`, one step at a time: defines what streaming means.

    Sums over time are taken step after step there too, so that results are equal to the last bit
    wherever the libraries add up a sample alike in a small batch and in a large one.

    Args:
        dtype: float64 for proofs, float32 for speed.

    Raises:
        UnsupportedError: the graph cannot be streamed; names the node.
    """

    def __init__(
        self,
        graph: Graph,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        require_streamable(graph)
        self._graph, self._nodes = graph, tuple(graph)
        self.dtype, self.device = dtype, torch.device(device)
        self._ops = {node.name: node.op.cast(dtype, device) for node in graph}
        self._shown = {node.op.feedback for node in graph.delays}
        self.reset()

    @property
    def graph(self) -> Graph:
        return self._graph

    def reset(self) -> None:
        self._steps = 0
        self._states: dict[str, NeuronState] = {}
        self._sums: dict[str, Tensor] = {}
        self._before: dict[str, Tensor] = {}

    @torch.no_grad()
    def step(self, frame: Tensor, tap: Tap | None = None) -> Tensor:
        check_frame(self._graph, tuple(frame.shape))
        check_step(self._graph, self._steps)
        values: dict[str, Tensor] = {}
        frame = frame.to(device=self.device, dtype=self.dtype)
        for node in self._nodes:
            values[node.name] = self._value(node, frame, values)
            if tap is not None:
                value = values[node.name]
                tap(node, value.unsqueeze(0) if node.per_step else value)
        self._steps += 1
        self._before = {name: values[name] for name in self._shown if name is not None}
        return values[self._graph.outputs[0]]

    def _value(self, node: Node, frame: Tensor, values: dict[str, Tensor]) -> Tensor:
        op = self._ops[node.name]
        if isinstance(op, Input):
            return frame
        if isinstance(op, Delay):
            zeros = frame.new_zeros((len(frame), *node.shape))
            return self._before.get(op.source, zeros)
        sources = [values[name] for name in node.inputs]
        if isinstance(op, Stateless):
            return op.apply(*sources)
        if isinstance(op, Stateful):
            state = self._states.get(node.name) or op.initial(sources[0])
            self._states[node.name], output = op.step(state, sources[0])
            return output
        if isinstance(op, OverTime):
            before = self._sums.get(node.name)
            self._sums[node.name] = sources[0] if before is None else before + sources[0]
            return op.read(self._sums[node.name], self._steps + 1)
        if isinstance(op, AddPerStep):
            return op.at(self._steps, sources[0])
        raise UnsupportedError(
            f"the interpreter has no rule to take one step of {op.kind}.",
            where=node.path or node.name,
            fix="Give its op one of the base classes Stateless and Stateful.",
        )
