"""The time step that is written: a known one, or in the step graph the one that runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto

from spikeport.convert.ops import Shape
from spikeport.targets.onnx.emitter import Array, Emitter, Place


class KnownStep:
    """One step of the unrolled graph. States are values of the step before.

    Args:
        step: its number.
        states: what the step before left, by name of the state.

    Attributes:
        left: what this step leaves.
    """

    def __init__(self, step: int, states: dict[str, str]) -> None:
        self._step, self._states = step, states
        self.left: dict[str, str] = {}

    def before(self, place: Place, state: str, initial: float) -> str:
        if self._step == 0:
            return place.scalar(initial)  # broadcasts
        return self._states[f"{place.node.name}.{state}"]

    def after(self, place: Place, state: str, value: str) -> str:
        self.left[f"{place.node.name}.{state}"] = value
        return value

    def of_step(self, place: Place, field: str, table: Array) -> str:
        return place.parameter(f"{field}{place.suffix}", table[self._step])

    def count(self, place: Place) -> str:
        return place.scalar(self._step + 1)


@dataclass(frozen=True)
class State:
    """One state of the step graph.

    Attributes:
        name: of the input; the output is `name.next`.
        shape: without batch axis; None for the step counter, which is one number for the batch.
        initial: the value of each element before the first step.
        path: the module that it belongs to.
    """

    name: str
    next: str
    shape: Shape | None
    initial: float
    path: str


COUNTER = "step"


@dataclass
class RunningStep:
    """The step that runs: states come in and go out of the graph."""

    emit: Emitter
    states: dict[str, State] = field(default_factory=dict)
    """By `node.state`, in the order of the graph."""
    _counter: str = ""

    def before(self, place: Place, state: str, initial: float) -> str:
        key = f"{place.node.name}.{state}"
        if key not in self.states:
            name = self.emit.fresh(key)
            following = self.emit.fresh(f"{name}.next")
            shape = place.node.shape
            self.states[key] = State(name, following, shape, initial, place.node.path)
        return self.states[key].name

    def after(self, place: Place, state: str, value: str) -> str:
        following = self.states[f"{place.node.name}.{state}"].next
        return self.emit.named(value, following, place.node.path)

    def of_step(self, place: Place, field: str, table: Array) -> str:
        """Steps beyond the table are refused by the runtime: an index out of bounds."""
        return place.op("Gather", place.parameter(field, table), self.counter(), axis=0)

    def count(self, place: Place) -> str:
        if not self._counter:
            self.counter()
        return place.op("Cast", self.states[COUNTER].next, to=place.emit.onnx_type)

    def counter(self) -> str:
        """The number of this step, from 0, an int64 scalar; its successor is a state too."""
        if not self._counter:
            name = self.emit.fresh(COUNTER)
            one = self.emit.constant(np.array(1, dtype=np.int64), "one")
            (following,) = self.emit.write("Add", [name, one], [f"{name}.next"])
            self.states[COUNTER] = State(name, following, None, 0.0, "")
            self._counter = name
        return self._counter

    def type_of(self, state: State) -> int:
        """The ONNX type of a state."""
        return self.emit.onnx_type if state.shape is not None else int(TensorProto.INT64)
