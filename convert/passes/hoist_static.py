"""Compute once per sample what sees the same image at each step."""

from __future__ import annotations

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import RepeatTime, Stateless
from spikeport.convert.passes.copying import Copy


def hoist_static(graph: Graph) -> Graph:
    """f(repeat(x)) = repeat(f(x)): move repeats over time behind all stateless ops that they feed.

    Neurons keep a state and stay where they are; the repeat ends up in front of them.
    """
    hoisting = _Hoisting(graph)
    if not hoisting.finds_any():
        return graph
    for node in graph:
        hoisting.visit(node)
    for node in graph.delays:
        hoisting.per_step(node.op.feedback or "")
    return hoisting.copy.finish([hoisting.per_step(name) for name in graph.outputs])


class _Hoisting:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self.copy = Copy(graph)
        self._once: dict[str, str] = {}  # per-step node -> the node that has its value once
        self._steps: dict[str, int] = {}

    def finds_any(self) -> bool:
        steady: set[str] = set()
        for node in self._graph:
            if isinstance(node.op, RepeatTime):
                steady.add(node.name)
            elif self._is_steady(node, steady):
                return True
        return False

    def _is_steady(self, node: Node, steady: set[str] | dict[str, str]) -> bool:
        return (
            isinstance(node.op, Stateless)
            and node.per_step
            and all(name in steady or not self._graph[name].per_step for name in node.inputs)
        )

    def visit(self, node: Node) -> None:
        if isinstance(node.op, RepeatTime):
            self._once[node.name] = self.copy.names[node.inputs[0]]
            self._steps[node.name] = node.op.steps
        elif self._is_steady(node, self._once):
            inputs = [self._once.get(name) or self.copy.names[name] for name in node.inputs]
            self._once[node.name] = self.copy.add(node.name, node.op, inputs, of=node)
            self._steps[node.name] = next(
                self._steps[name] for name in node.inputs if name in self._steps
            )
        else:
            self.copy.keep(node, [self.per_step(name) for name in node.inputs])

    def per_step(self, name: str) -> str:
        """The counterpart of a node as it was: at each step, if it was so."""
        if name in self._once and name not in self.copy.names:
            repeated = isinstance(self._graph[name].op, RepeatTime)
            self.copy.names[name] = self.copy.add(
                name if repeated else f"{name}.steps",
                RepeatTime(self._steps[name]),
                [self._once[name]],
                of=self._graph[name],
            )
        return self.copy.names[name]
