"""The interpreter: defines what a graph means. Every other executor is tested against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.frames import check_frames
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    AddPerStep,
    Delay,
    Input,
    NeuronState,
    Op,
    OverTime,
    RepeatTime,
    Stateful,
    Stateless,
)
from spikeport.convert.schedule import Group, schedule
from spikeport.core.errors import UnknownNameError, UnsupportedError, UsageError

Edit = Callable[[Tensor], Tensor]
"""What readers of a node see instead of its output, of the same shape."""


class Interpreter:
    """Runs a graph node by node, each over all time steps at once; neurons step through time.

    The nodes of a feedback loop take one time step after the other, together.

    Args:
        dtype: float64 for proofs, float32 for speed. Whole numbers below 2^53 are exact in float64;
            an integer type runs graphs of whole numbers only.
        edits: by name of a node, for experiments: the network behind it, and taps, see the edited
            output. A node of a feedback loop is edited behind the loop, which runs as it is.

    Raises:
        UnsupportedError: an integer type is asked for, and an op leaves the whole numbers.
        UnknownNameError: an edit is for a node that is not there.
    """

    def __init__(
        self,
        graph: Graph,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        *,
        edits: Mapping[str, Edit] | None = None,
    ) -> None:
        if len(graph.outputs) != 1:
            raise UnsupportedError(f"a graph with {len(graph.outputs)} outputs cannot be run.")
        self._graph = graph
        self.dtype, self.device = dtype, torch.device(device)
        if not self.dtype.is_floating_point:
            _require_whole(graph)
        self._edits = dict(edits or {})
        for name in self._edits:
            if name not in graph:
                raise UnknownNameError("node", name, [node.name for node in graph])
        self._ops = {node.name: node.op.cast(dtype, device) for node in graph}
        self._groups = schedule(graph)
        self._last_reader = {
            source: index
            for index, group in enumerate(self._groups)
            for node in group
            for source in _read_by(node)
        }

    @property
    def graph(self) -> Graph:
        return self._graph

    @torch.no_grad()
    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest; see `Executor.run`.

        Raises:
            UsageError: the frames do not have the shape that the graph was traced for.
        """
        check_frames(self._graph, frames, self.dtype)
        frames = frames.to(device=self.device, dtype=self.dtype)
        values: dict[str, Tensor] = {}
        for index, group in enumerate(self._groups):
            if len(group) == 1:
                (node,) = group
                values[node.name] = (
                    frames if isinstance(node.op, Input) else self._compute(node, values)
                )
            else:
                values |= self._loop(group, values)
            for node in group:
                if node.name in self._edits:
                    values[node.name] = self._edited(node, values[node.name])
                if tap is not None:
                    tap(node, values[node.name])
            for name in {source for node in group for source in _read_by(node)}:
                if self._last_reader[name] == index and name not in self._graph.outputs:
                    del values[name]
        return values[self._graph.outputs[0]]

    def _edited(self, node: Node, value: Tensor) -> Tensor:
        edited = self._edits[node.name](value)
        if edited.shape != value.shape:
            raise UsageError(
                f"an edit turned its output {list(value.shape)} into {list(edited.shape)}.",
                where=node.path or node.name,
                fix="Return a tensor of the same shape.",
            )
        return edited

    # -- one node over all time steps -----------------------------------------------------------

    def _compute(self, node: Node, values: dict[str, Tensor]) -> Tensor:
        op = self._ops[node.name]
        sources = [values[name] for name in node.inputs]
        if isinstance(op, Stateless):
            return self._stateless(node, op, sources)
        if isinstance(op, Stateful):
            return self.stateful(node, op, sources[0])
        if isinstance(op, OverTime):
            return op.over(sources[0])
        if isinstance(op, RepeatTime):
            return sources[0].unsqueeze(0).expand(op.steps, *sources[0].shape)
        if isinstance(op, AddPerStep):
            _check_steps(node, op, len(sources[0]))
            return torch.stack([op.at(step, x) for step, x in enumerate(sources[0])])
        if isinstance(op, Delay):
            shown = values[op.source]
            return torch.cat([torch.zeros_like(shown[:1]), shown[:-1]])
        raise _no_rule(node)

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

    def stateful(self, node: Node, op: Stateful, current: Tensor) -> Tensor:
        """One node with state over all steps, outside of loops; `[T, B, *feature]` in and out.

        Subclasses put something else in its place.
        """
        if not self._graph[node.inputs[0]].per_step:
            raise UnsupportedError(
                f"this {op.kind} reads a value without time axis.",
                where=node.path or node.name,
                fix="Repeat the input over the time steps before it.",
            )
        outputs = torch.empty_like(current)
        state = op.initial(current[0])
        for step, x in enumerate(current):
            state, outputs[step] = op.step(state, x)
        return outputs

    # -- a loop, step by step -------------------------------------------------------------------

    def _loop(self, group: Group, values: dict[str, Tensor]) -> dict[str, Tensor]:
        """The outputs `[T, B, *shape]` of all nodes of a loop."""
        inside = {node.name for node in group}
        outside = {name for node in group for name in node.inputs} - inside
        entries = [values[name] for name in outside if self._graph[name].per_step]
        if not entries:
            raise UnsupportedError(
                "nothing with a time axis enters this feedback loop.",
                where=group[0].path or group[0].name,
                fix="Repeat the input over the time steps before it.",
            )
        steps, batch = entries[0].shape[:2]
        states: dict[str, NeuronState] = {}
        before: dict[str, Tensor] = {}
        outputs: dict[str, list[Tensor]] = {node.name: [] for node in group}
        for step in range(steps):
            now = {
                name: values[name][step] if self._graph[name].per_step else values[name]
                for name in outside
            }
            for node in group:
                op = self._ops[node.name]
                if isinstance(op, Delay):
                    zeros = torch.zeros((batch, *node.shape), dtype=self.dtype, device=self.device)
                    now[node.name] = before.get(op.source, zeros)
                else:
                    sources = [now[name] for name in node.inputs]
                    now[node.name] = _at(node, op, step, sources, states)
                outputs[node.name].append(now[node.name])
            before = now
        return {name: torch.stack(steps) for name, steps in outputs.items()}


def _at(
    node: Node, op: Op, step: int, sources: list[Tensor], states: dict[str, NeuronState]
) -> Tensor:
    """One node at one step; `states` holds the neurons' and is updated."""
    if isinstance(op, Stateless):
        return op.apply(*sources)
    if isinstance(op, Stateful):
        state = states[node.name] if node.name in states else op.initial(sources[0])
        states[node.name], output = op.step(state, sources[0])
        return output
    if isinstance(op, AddPerStep):
        _check_steps(node, op, step + 1, at_least=True)
        return op.at(step, sources[0])
    raise _no_rule(node)


def _require_whole(graph: Graph) -> None:
    for node in graph:
        if not node.op.keeps_whole():
            raise UnsupportedError(
                f"this {node.op.kind} does not keep to whole numbers.",
                where=node.path or node.name,
                fix="Run the graph in float64, which holds whole numbers below 2^53 exactly.",
            )


def _read_by(node: Node) -> tuple[str, ...]:
    shown = node.op.feedback
    return node.inputs if shown is None else (*node.inputs, shown)


def _check_steps(node: Node, op: AddPerStep, steps: int, *, at_least: bool = False) -> None:
    if steps > op.steps or (steps < op.steps and not at_least):
        raise UsageError(
            f"{steps} time steps were given; its constants are for {op.steps}.",
            where=node.path or node.name,
            fix="Frame the data into that many steps.",
        )


def _no_rule(node: Node) -> UnsupportedError:
    return UnsupportedError(
        f"the interpreter has no rule for {node.op.kind}.",
        where=node.path or node.name,
        fix="Give its op one of the base classes Stateless and Stateful.",
    )
