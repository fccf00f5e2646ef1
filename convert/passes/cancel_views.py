"""Merge reshapes and permutes that follow each other, and drop those that change nothing."""

from __future__ import annotations

from spikeport.convert.graph import Graph, rebuilt
from spikeport.convert.ops import Op, Permute, Reshape


def cancel_views(graph: Graph) -> Graph:
    """reshape after reshape is the last one; permute after permute is their composition.

    A view that gives back the shape, or the order, of what it reads is dropped.
    """
    while (simpler := _step(graph)) is not None:
        graph = simpler
    return graph


def _step(graph: Graph) -> Graph | None:
    for node in graph:
        if not isinstance(node.op, Reshape | Permute):
            continue
        source = graph[node.inputs[0]]
        if _changes_nothing(node.op, source.shape):
            return rebuilt(graph, bypass={node.name: source.name})
        merged = _merged(source.op, node.op)
        if merged is not None:
            return rebuilt(graph, {node.name: merged}, rewire={node.name: source.inputs})
    return None


def _changes_nothing(op: Op, shape: tuple[int, ...]) -> bool:
    if isinstance(op, Permute):
        return op.order == tuple(range(len(shape)))
    return isinstance(op, Reshape) and op.shape == shape


def _merged(first: Op, second: Op) -> Op | None:
    if isinstance(first, Reshape) and isinstance(second, Reshape):
        return second
    if isinstance(first, Permute) and isinstance(second, Permute):
        return Permute(tuple(first.order[axis] for axis in second.order))
    return None
