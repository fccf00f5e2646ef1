"""The layer table: what a graph holds, node by node."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Neuron, Shape


@dataclass(frozen=True)
class Layer:
    """One row.

    Attributes:
        inputs: shapes of what it reads, by port, without time and batch.
        shape, per_step: of its output.
        parameters: number of stored values.
        neurons: number of neurons, 0 for other ops.
        feedback: the node whose output of the step before it reads, "" if none.
    """

    node: str
    path: str
    op: str
    inputs: tuple[Shape, ...]
    shape: Shape
    per_step: bool
    domain: str
    parameters: int
    neurons: int
    feedback: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "node": self.node,
            "path": self.path,
            "op": self.op,
            "inputs": [list(shape) for shape in self.inputs],
            "shape": list(self.shape),
            "per_step": self.per_step,
            "domain": self.domain,
            "parameters": self.parameters,
            "neurons": self.neurons,
            "feedback": self.feedback,
        }


def layers(graph: Graph) -> tuple[Layer, ...]:
    """One row per node, in graph order."""
    return tuple(_layer(graph, node) for node in graph)


def _layer(graph: Graph, node: Node) -> Layer:
    return Layer(
        node=node.name,
        path=node.path,
        op=node.op.kind,
        inputs=tuple(graph[name].shape for name in node.inputs),
        shape=node.shape,
        per_step=node.per_step,
        domain=str(node.domain),
        parameters=sum(value.numel() for value in node.op.tensors().values()),
        neurons=math.prod(node.shape) if isinstance(node.op, Neuron) else 0,
        feedback=node.op.feedback or "",
    )
