"""What a rule is.

A whole number n on an edge stands for n units, an exact fraction. On edges that carry counts (every
domain but real) the unit follows from the ops before it; edges that carry currents (real) get
theirs from the stream that they belong to (`quantise/streams.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import TypeVar

from spikeport.convert.check import EXACT, Finding, Treatment
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Op
from spikeport.core.registry import Registry


class Rule:
    """How one kind of op is lowered; the defaults suit an op that moves values unchanged."""

    simulation_only = False
    """Whether a process of ours computes it, on values that no neuron of the chip emits."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        """Yield what stands against lowering this node; never raise."""
        yield from ()

    def treatment(self, graph: Graph, node: Node) -> Treatment:
        """What becomes of the node; called only where `check` finds no error."""
        return EXACT

    def unit(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Fraction:
        """Unit of the output, given those of the inputs. Called only where `check` is quiet."""
        return inputs[0]

    def lower(self, graph: Graph, node: Node, inputs: Sequence[Fraction]) -> Op | None:
        """The op in whole numbers, or None if it only changes the unit, or the constants.

        Args:
            inputs: units of what it reads.
        """
        return node.op


RULES: Registry[Rule] = Registry("Lava rule")

RuleType = TypeVar("RuleType", bound=type[Rule])


def rule(*ops: type[Op]) -> Callable[[RuleType], RuleType]:
    """Class decorator: register a rule for these ops."""

    def register(cls: RuleType) -> RuleType:
        for op in ops:
            RULES.add(op.kind, cls())
        return cls

    return register


def carries_current(node: Node) -> bool:
    """Whether the output stands for membrane currents."""
    return node.domain is Domain.REAL
