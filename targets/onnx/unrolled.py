"""The unrolled graph: T steps at once, neurons and loops step by step."""

from __future__ import annotations

from onnx import ValueInfoProto, helper

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Delay, Input, Stateless
from spikeport.convert.schedule import Group, schedule
from spikeport.targets.onnx.emitter import Emitter, Place
from spikeport.targets.onnx.lowerings import LOWERINGS
from spikeport.targets.onnx.lowerings.neurons import split
from spikeport.targets.onnx.lowerings.time import zeros_like
from spikeport.targets.onnx.moments import KnownStep
from spikeport.targets.onnx.written import BATCH, Written


class Unrolled:
    """Writes `frames [T, B, *shape]`, or an image `[B, *shape]`, -> the graph's output.

    A value per step is `[T * B, *feature]`, named after its node.
    """

    def __init__(self, graph: Graph, steps: int, dtype: str) -> None:
        self._graph, self._steps = graph, steps
        self._emit = Emitter(dtype, (node.name for node in graph))
        self._values: dict[str, str] = {}
        self._parts: dict[str, tuple[str, ...]] = {}

    def write(self) -> Written:
        entry = self._graph.input
        for group in schedule(self._graph):
            if len(group) > 1:
                self._loop(group)
            elif isinstance(group[0].op, Input):
                self._values[entry.name] = self._entry(entry)
            else:
                self._single(group[0])
        last = self._graph[self._graph.outputs[0]]
        return Written(
            self._emit,
            [self._info(entry)],
            [self._info(last, self._exit(last))],
            {name: value for name, value in self._values.items() if value != name},
        )

    def _place(self, node: Node, suffix: str = "") -> Place:
        shapes = tuple(self._graph[name].shape for name in node.inputs)
        return Place(self._emit, node, shapes, suffix)

    def _entry(self, node: Node) -> str:
        """The frames of all steps below each other."""
        return self._place(node).reshaped(node.name, *node.shape) if node.per_step else node.name

    def _exit(self, node: Node) -> str:
        """The name of the output: its node's, or like it where steps have to be told apart."""
        if not node.per_step:
            return node.name
        place, value = self._place(node), self._values[node.name]
        by_step = place.op("Reshape", value, place.integers(self._steps, -1, *node.shape))
        return self._emit.named(by_step, self._emit.fresh(f"{node.name}.steps"), node.path)

    def _info(self, node: Node, name: str = "") -> ValueInfoProto:
        axes = (self._steps, BATCH) if node.per_step else (BATCH,)
        shape = [*axes, *node.shape]
        return helper.make_tensor_value_info(name or node.name, self._emit.onnx_type, shape)

    def _single(self, node: Node) -> None:
        place = self._place(node)
        lowering = LOWERINGS[node.op.kind]
        sources = [node.op.source] if isinstance(node.op, Delay) else list(node.inputs)
        inputs = [self._values[name] for name in sources]
        if isinstance(node.op, Stateless) and node.per_step:
            inputs = [self._per_step(node, name) for name in sources]
        value = lowering.all_steps(place, inputs, self._steps)
        self._values[node.name] = self._emit.named(value, node.name, node.path)

    def _per_step(self, reader: Node, name: str) -> str:
        """A value at each step, repeated if it exists once per sample."""
        node = self._graph[name]
        if node.per_step:
            return self._values[name]
        place = self._place(reader)
        repeats = place.integers(self._steps, *[1] * len(node.shape))
        return place.op("Tile", self._values[name], repeats)

    # -- a loop, step by step -------------------------------------------------------------------

    def _loop(self, group: Group) -> None:
        outside = {name for node in group for name in node.inputs} - {node.name for node in group}
        entry = next(name for name in sorted(outside) if self._graph[name].per_step)
        states: dict[str, str] = {}
        before: dict[str, str] = {}
        outputs: dict[str, list[str]] = {node.name: [] for node in group}
        for step in range(self._steps):
            moment = KnownStep(step, states)
            now = {name: self._at(name, step) for name in outside}
            for node in group:
                place = self._place(node, f"@{step}")
                if isinstance(node.op, Delay):
                    first = zeros_like(place, now[entry]) if step == 0 else ""
                    now[node.name] = first or before[node.op.source]
                else:
                    inputs = [now[name] for name in node.inputs]
                    now[node.name] = LOWERINGS[node.op.kind].one_step(place, inputs, moment)
                outputs[node.name].append(now[node.name])
            before, states = now, moment.left
        for node in group:
            parts = outputs[node.name]
            joined = parts[0] if len(parts) == 1 else self._place(node).op("Concat", *parts, axis=0)
            self._values[node.name] = self._emit.named(joined, node.name, node.path)

    def _at(self, name: str, step: int) -> str:
        """A value from outside of a loop at one step."""
        node = self._graph[name]
        if not node.per_step:
            return self._values[name]
        if name not in self._parts:
            parts = split(self._place(node), self._values[name], self._steps)
            self._parts[name] = tuple(parts)
        return self._parts[name][step]
