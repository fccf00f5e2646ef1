"""What runs a graph, as seen by everything that only wants to watch it run."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from torch import Tensor

from spikeport.convert.graph import Graph, Node

Tap = Callable[[Node, Tensor], None]
"""Called once per node with its output, `[T, B, *shape]` per step or `[B, *shape]` per sample.

The tensor may be reused afterwards: a tap that keeps it makes a copy.
"""


class Watch:
    """A tap that looks at some nodes only: executors may leave out the others, and save work.

    Args:
        names: the nodes.
        tap: shown them.
    """

    def __init__(self, names: Collection[str], tap: Tap) -> None:
        self.names, self._tap = frozenset(names), tap

    def __call__(self, node: Node, value: Tensor) -> None:
        if node.name in self.names:
            self._tap(node, value)


def wants(tap: Tap | None, node: Node) -> bool:
    """Whether a tap looks at a node."""
    return tap is not None and (not isinstance(tap, Watch) or node.name in tap.names)


class Executor(Protocol):
    """Runs a graph over whole samples."""

    @property
    def graph(self) -> Graph: ...

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest.

        Args:
            frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
            tap: shown the output of every node as it passes, or of those that a `Watch` names.

        Returns:
            the graph's output, `[B, *shape]` or `[T, B, *shape]`.
        """
        ...
