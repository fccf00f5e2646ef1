"""The target: runs graphs with saturating currents, and tells beforehand what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from spikeport.convert import Executor, Graph, Interpreter, Node
from spikeport.convert.check import (
    EXACT,
    CheckReport,
    Finding,
    Status,
    Treatment,
    error,
    judge,
    rewritten,
)
from spikeport.convert.ops import Neuron
from spikeport.targets import Target

PASSES = ("fold-batch-norm", "saturate-currents")


def executor(graph: Graph, calibration: Callable[[], Tensor]) -> Executor:
    """The network as the chip computes it."""
    return Interpreter(rewritten(graph, PASSES).graph)


@dataclass(frozen=True)
class Rules:
    """What the chip can hold."""

    graph: Graph

    def of_node(self, node: Node) -> Iterator[Finding]:
        """Neurons fire below the limit of their current."""
        if getattr(node.op, "v_reset", 0.0) is None:
            yield error(node, "the chip resets by setting.", "Train with v_reset=0.0.")

    def of_graph(self) -> Iterator[Finding]:
        """Nothing."""
        yield from ()

    def of_numbers(self) -> Iterator[Finding]:
        """Nothing."""
        yield from ()

    def treatment(self, node: Node) -> Treatment:
        """Neurons read clipped currents, all else is computed as it is."""
        if isinstance(node.op, Neuron):
            how = "its current saturates; measured by comparing predictions with the reference"
            return Treatment(Status.APPROXIMATE, how=how)
        return EXACT


def check(graph: Graph) -> CheckReport:
    """What becomes of each node."""
    return judge(graph, "saturating", PASSES, Rules)


TARGET = Target("a chip whose accumulators saturate", executor, str, check)
