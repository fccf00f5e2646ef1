"""A graph built anew from another one, for passes that add nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import Delay, Op


class Copy:
    """The new graph under construction. Nodes are added in the order of the old one.

    Attributes:
        names: for each node of the old graph that has a counterpart, its name in the new one.
    """

    def __init__(self, graph: Graph) -> None:
        self._old = graph
        self.new = Graph(metadata=dict(graph.metadata))
        self.names: dict[str, str] = {}

    def keep(self, node: Node, inputs: Sequence[str] | None = None) -> str:
        """Add a node as it is, reading the counterparts of what it read (or `inputs`)."""
        read = [self.names[name] for name in node.inputs] if inputs is None else inputs
        self.names[node.name] = self.new.add(node.name, node.op, read, path=node.path).name
        return self.names[node.name]

    def add(self, name: str, op: Op, inputs: Sequence[str], *, of: Node) -> str:
        """Add a node that comes from an old one, whose name and path it may take over.

        Args:
            name: of the new node; a number is put behind it if another node has that name.
        """
        free, number = name, 2
        while free in self.new or (free in self._old and free != of.name):
            free, number = f"{name}_{number}", number + 1
        return self.new.add(free, op, inputs, path=of.path).name

    def finish(self, outputs: Sequence[str]) -> Graph:
        """The new graph with these outputs, without what nothing reads."""
        self.new.outputs = tuple(outputs)
        sources: dict[str, Op] = {
            node.name: replace(node.op, source=self.names[node.op.source])
            for node in self.new.delays
            if isinstance(node.op, Delay)
        }
        return rebuilt(self.new, sources)
