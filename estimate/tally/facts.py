"""What counting rules need to know about a graph beyond the node in hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Conv, Linear, RepeatTime, Stateless
from spikeport.estimate.tally.commute import commutes, pulled_back


@dataclass(frozen=True, eq=False)
class EventSource:
    """Where a layer's events are counted.

    Attributes:
        node: the node whose output holds the events.
        weights: per event of that node: operations it causes in the layer.
        commuted: the layer itself reads a scaled edge.
    """

    node: Node
    weights: tuple[Tensor, ...]
    commuted: bool


class Facts:
    """Facts about one graph, computed once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.steady = self._find_steady()
        """Nodes whose output is the same at every step (a static image and what it feeds)."""
        self.absorbed = self._find_absorbed()
        """Nodes that every reader commutes with, so that nothing is left to compute."""

    def inputs(self, node: Node) -> tuple[Node, ...]:
        """The nodes that `node` reads, by port."""
        return tuple(self.graph[name] for name in node.inputs)

    def event_source(self, node: Node, *weights: Tensor) -> EventSource:
        """Follow a layer's input back over constant scales to where its events arise.

        Args:
            node: the layer.
            weights: maps over its input (see `commute`), each carried back to the source.
        """
        (source,) = self.inputs(node)
        commuted = source.domain is Domain.SCALED
        while source.domain is Domain.SCALED and commutes(source.op):
            (behind,) = self.inputs(source)
            weights = tuple(pulled_back(source.op, behind, each) for each in weights)
            source = behind
        return EventSource(source, weights, commuted)

    def _find_steady(self) -> frozenset[str]:
        steady: set[str] = set()
        for node in self.graph:
            repeated = isinstance(node.op, RepeatTime)
            follows = isinstance(node.op, Stateless) and all(
                source.name in steady or not source.per_step for source in self.inputs(node)
            )
            if node.per_step and (repeated or follows):
                steady.add(node.name)
        return frozenset(steady)

    def _find_absorbed(self) -> frozenset[str]:
        absorbed: set[str] = set()
        for node in reversed(list(self.graph)):
            readers = self.graph.consumers(node.name)
            if (
                node.domain is Domain.SCALED
                and commutes(node.op)
                and node.name not in self.graph.outputs
                and readers
                and all(
                    isinstance(reader.op, Conv | Linear) or reader.name in absorbed
                    for reader in readers
                )
            ):
                absorbed.add(node.name)
        return frozenset(absorbed)


def label(node: Node) -> str:
    """The module path; the node's name where that says which of the module's ops is meant."""
    return node.name if node.name.startswith(node.path) else node.path


def elements(node: Node) -> int:
    """Elements of a node's output at one step."""
    return math.prod(node.shape)


def uniform(node: Node, value: float) -> Tensor:
    """The map over a node's output that is `value` everywhere."""
    return torch.full([1] * len(node.shape), value, dtype=torch.float64)
