"""The graph: what a spiking network does in one time step, and what it keeps between steps."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import networkx as nx

from spikeport.convert.domain import Domain, holds
from spikeport.convert.ops import Delay, Input, Op, Shape
from spikeport.core.errors import UnsupportedError


@dataclass(frozen=True)
class Node:
    """One op in its place.

    Attributes:
        name: unique in the graph.
        inputs: names of the nodes whose outputs it reads, by port.
        shape: of its output, without time and batch axes.
        domain: what its output carries, proven from its inputs.
        per_step: whether the output exists at each time step (`[T, B, *shape]`) or once
            per sample (`[B, *shape]`).
        path: the module of the traced model that it comes from, "" if none.
    """

    name: str
    op: Op
    inputs: tuple[str, ...]
    shape: Shape
    domain: Domain
    per_step: bool
    path: str = ""


@dataclass
class Graph:
    """An acyclic graph of ops, built from inputs to outputs.

    Edges run from the node that writes a value to the port of a node that reads it. Iteration is
    in topological order and, among the orders possible, the one in which nodes were added.
    Feedback is no edge: a `Delay` names the node whose output of the step before it shows.
    """

    outputs: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    """JSON values that travel with the graph: where it comes from, what was proven about it."""
    _net: nx.MultiDiGraph[str] = field(default_factory=nx.MultiDiGraph)
    _delays: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, op: Op, inputs: Sequence[str] = (), *, path: str = "") -> Node:
        """Add a node that reads `inputs`; shape, domain and timing follow from theirs.

        Raises:
            ValueError: the name is taken or the number of inputs is wrong.
            UnsupportedError: the op cannot take inputs of these shapes.
        """
        if name in self:
            raise ValueError(f"graph has a node {name!r} already")
        if op.arity is not None and len(inputs) != op.arity:
            raise ValueError(f"{name!r}: {op.kind} takes {op.arity} inputs, not {len(inputs)}")
        sources = [self[source] for source in inputs]
        try:
            node = Node(
                name=name,
                op=op,
                inputs=tuple(inputs),
                shape=op.infer_shape(*(source.shape for source in sources)),
                domain=op.infer_domain(*(source.domain for source in sources)),
                per_step=op.infer_per_step(*(source.per_step for source in sources)),
                path=path,
            )
        except ValueError as error:
            shapes = ", ".join(str(list(source.shape)) for source in sources)
            raise UnsupportedError(
                f"{op.kind} cannot read {shapes}: {error}.",
                where=path or name,
                fix="Check the size of the input that the model was traced with.",
            ) from error
        self._net.add_node(name, node=node)
        for port, source in enumerate(inputs):
            self._net.add_edge(source, name, port=port)
        if op.feedback is not None:
            self._delays.setdefault(op.feedback, []).append(name)
        return node

    def __getitem__(self, name: str) -> Node:
        node: Node = self._net.nodes[name]["node"]
        return node

    def __contains__(self, name: object) -> bool:
        return name in self._net

    def __len__(self) -> int:
        return len(self._net)

    def __iter__(self) -> Iterator[Node]:
        position = {name: index for index, name in enumerate(self._net)}
        for name in nx.lexicographical_topological_sort(self._net, key=position.__getitem__):
            yield self[name]

    def consumers(self, name: str) -> tuple[Node, ...]:
        """The nodes that read the output of a node, each once, in the order they were added.

        Delays that show it one step later come last.
        """
        readers = [*self._net.successors(name), *self._delays.get(name, ())]
        return tuple(self[reader] for reader in readers)

    @property
    def delays(self) -> tuple[Node, ...]:
        """The nodes that show another node's output of the step before."""
        return tuple(self[name] for names in self._delays.values() for name in names)

    def check_feedback(self) -> None:
        """Check that every delay shows what it declares.

        Raises:
            UnsupportedError: its source is missing, has another shape or domain, or no time axis.
        """
        for node in self.delays:
            source = self[name] if (name := node.op.feedback or "") in self else None
            why = (
                f"it shows {name!r}, which is not in the graph"
                if source is None
                else f"it declares {list(node.shape)}, its source is {list(source.shape)}"
                if source.shape != node.shape
                else f"it declares {node.domain}, its source carries {source.domain}"
                if not holds(node.domain, source.domain)
                else "its source exists once per sample, not at each time step"
                if not source.per_step
                else ""
            )
            if why:
                raise UnsupportedError(
                    f"this delay is inconsistent: {why}.",
                    where=node.path or node.name,
                    fix="Trace the model again.",
                )

    @property
    def inputs(self) -> tuple[Node, ...]:
        return tuple(node for node in self if isinstance(node.op, Input))

    @property
    def input(self) -> Node:
        """The only input.

        Raises:
            UnsupportedError: the graph has none or several.
        """
        if len(self.inputs) != 1:
            raise UnsupportedError(f"a graph with {len(self.inputs)} inputs cannot be run.")
        return self.inputs[0]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph, its parameters and its metadata to one `.spg` file, atomically.

        Raises:
            UsageError: the path does not end in `.spg`.
            FileError: the file cannot be written, or the graph does not fit the format.
        """
        from spikeport.convert.storage import save_graph

        save_graph(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Graph:
        """Read a graph from a `.spg` file.

        The file's own hash is checked; shapes, domains and timing are derived anew and compared
        with the stored ones. Nothing in the file is run.

        Raises:
            FileError: missing, unreadable, truncated, changed, foreign, of another format version,
                holding an unknown op or field, or inconsistent in itself.
        """
        from spikeport.convert.storage import load_graph

        return load_graph(path)

    def to_networkx(self) -> nx.MultiDiGraph[str]:
        """A copy for graph algorithms: nodes carry `node`, edges `port` and `domain`.

        Feedback, which shows one step later, is no edge of it: see `delays`.
        """
        net = self._net.copy()
        for source, _, data in net.edges(data=True):
            data["domain"] = self[source].domain
        return net


def rebuilt(
    graph: Graph,
    replacements: Mapping[str, Op] | None = None,
    bypass: Mapping[str, str] | None = None,
    rewire: Mapping[str, tuple[str, ...]] | None = None,
) -> Graph:
    """A new graph with some nodes changed or bypassed; what nothing reads is dropped.

    Args:
        replacements: new op by node name.
        bypass: for each removed node the node whose output its readers read instead.
        rewire: new inputs by node name.
    """
    replacements, bypass, rewire = replacements or {}, bypass or {}, rewire or {}

    def source_of(name: str) -> str:
        while name in bypass:
            name = bypass[name]
        return name

    def inputs_of(node: Node) -> tuple[str, ...]:
        return tuple(source_of(source) for source in rewire.get(node.name, node.inputs))

    def op_of(node: Node) -> Op:
        op = replacements.get(node.name, node.op)
        return replace(op, source=source_of(op.source)) if isinstance(op, Delay) else op

    outputs = tuple(source_of(name) for name in graph.outputs)
    ops = {node.name: op_of(node) for node in graph}
    alive, reached = set[str](), list(outputs)
    while reached:
        name = reached.pop()
        if name not in alive:
            alive.add(name)
            shown = ops[name].feedback
            reached += [*inputs_of(graph[name]), *([shown] if shown is not None else [])]
    result = Graph(outputs=outputs, metadata=dict(graph.metadata))
    for node in graph:
        # An input stays even if nothing reads it: it is part of how the graph is called.
        if node.name in alive or isinstance(node.op, Input):
            result.add(node.name, ops[node.name], inputs_of(node), path=node.path)
    return result
