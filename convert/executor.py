"""What runs a graph, as seen by everything that only wants to watch it run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from spikeport.convert.graph import Graph, Node

Tap = Callable[[Node, Tensor], None]
"""Called once per node with its output, `[T, B, *shape]` per step or `[B, *shape]` per sample.

The tensor may be reused afterwards: a tap that keeps it makes a copy.
"""


class Executor(Protocol):
    """Runs a graph over whole samples."""

    @property
    def graph(self) -> Graph: ...

    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """Run a batch from rest.

        Args:
            frames: `[T, B, *shape]` if the graph's input comes per step, else `[B, *shape]`.
            tap: shown the output of every node as it passes.

        Returns:
            the graph's output, `[B, *shape]` or `[T, B, *shape]`.
        """
        ...
