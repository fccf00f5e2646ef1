"""What a rule is: how one kind of op is written in NIR."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from spikeport.convert.check import EXACT, Finding, Treatment, error
from spikeport.convert.graph import Node
from spikeport.convert.ops import Op
from spikeport.core.registry import Registry
from spikeport.targets.nir.network import Network, Sources
from spikeport.targets.nir.plan import Plan

OR_EXTENSION = "Or lower with extensions=True: then only Spikeport reads the file."


class Rule:
    """How one kind of op is written."""

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        """Yield what stands against writing this node; never raise."""
        yield from ()

    def treatment(self, plan: Plan, node: Node) -> Treatment:
        """What becomes of the node; called only where `check` finds no error."""
        return EXACT

    def write(self, network: Network, node: Node) -> Sources:
        """Write the node, and tell what adds up to its value. Called where `check` is quiet."""
        raise TypeError(f"{type(self).__name__} has no way to write a node")


class Refusal(Rule):
    """Refuses, with a reason and a way out."""

    why: str
    fix: str

    def check(self, plan: Plan, node: Node) -> Iterator[Finding]:
        yield refused(node, self.why, self.fix)


RULES: Registry[Rule] = Registry("NIR rule")

RuleType = TypeVar("RuleType", bound=type[Rule])


def rule(*ops: type[Op]) -> Callable[[RuleType], RuleType]:
    """Class decorator: register a rule for these ops."""

    def register(cls: RuleType) -> RuleType:
        for op in ops:
            RULES.add(op.kind, cls())
        return cls

    return register


def refused(node: Node, why: str, fix: str) -> Finding:
    """What stands against a node, with extensions as the last way out."""
    return error(node, why, f"{fix} {OR_EXTENSION}")


def numbers(value: Tensor) -> NDArray[Any]:
    """A parameter as NIR takes it, in its own type."""
    return value.detach().cpu().contiguous().numpy().copy()


def spread(value: Tensor | float, node: Node) -> NDArray[np.float64]:
    """A parameter for each neuron of a layer, float64."""
    own = numbers(value) if isinstance(value, Tensor) else np.float64(value)
    return np.broadcast_to(own, node.shape).astype(np.float64)
