"""What a lowering is: how one kind of op is written in ONNX.

A value that exists per step lies in the unrolled graph as `[T * B, *feature]`, all samples of the
first step in front, so that what has no state is computed over all steps at once. In the step
graph, and at single steps of a loop, it is `[B, *feature]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spikeport.convert.check import EXACT, Finding, Treatment
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Op
from spikeport.core.registry import Registry
from spikeport.targets.onnx.emitter import Array, Place


class Moment(Protocol):
    """One time step while it is written: known, in the unrolled graph, or the one that runs."""

    def before(self, place: Place, state: str, initial: float) -> str:
        """A state `[B, *feature]` of a node as the step before left it."""
        ...

    def after(self, place: Place, state: str, value: str) -> str:
        """Leave a state to the next step; the value under the name that it has from then on."""
        ...

    def of_step(self, place: Place, field: str, table: Array) -> str:
        """The row of a table `[T, ...]` that belongs to this step."""
        ...

    def count(self, place: Place) -> str:
        """The number of steps so far, this one included, as a number to compute with."""
        ...


class Lowering:
    """How one kind of op is written; subclasses say what of it is refused."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        """Yield what stands against this node; never raise."""
        yield from ()

    def treatment(self, node: Node) -> Treatment:
        """What becomes of a node that nothing stands against."""
        return EXACT

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        """Write the node for all time steps, or once per sample; returns its value."""
        raise TypeError(f"{place.node.op.kind} cannot be written over all steps")

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        """Write the node for one time step; returns its value `[B, *feature]`."""
        raise TypeError(f"{place.node.op.kind} cannot be written for one step")


LOWERINGS: Registry[Lowering] = Registry("ONNX lowering")


@dataclass(frozen=True)
class StatelessLowering(Lowering):
    """The same for one step and for all: the first axis is left open."""

    written: Callable[..., str]

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        return self.written(place, place.node.op, *inputs)

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        return self.written(place, place.node.op, *inputs)


Written = Callable[..., str]


def stateless(op: type[Op]) -> Callable[[Written], Written]:
    """Decorator: `f(place, op, *inputs)` writes this op on `[N, *feature]`, returns its value."""

    def register(written: Written) -> Written:
        LOWERINGS.add(op.kind, StatelessLowering(written))
        return written

    return register


def lowers(op: type[Op], *arguments: Any) -> Callable[[type[Lowering]], type[Lowering]]:
    """Class decorator: registers a lowering, made with `arguments`, for an op."""

    def register(cls: type[Lowering]) -> type[Lowering]:
        LOWERINGS.add(op.kind, cls(*arguments))
        return cls

    return register
