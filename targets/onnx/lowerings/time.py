"""Ops that cross time steps: in the step graph they are states, or valid after each step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from onnx import helper

from spikeport.convert.check import EXACT, Finding, Treatment, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import AddPerStep, Delay, MeanTime, RepeatTime, SumTime
from spikeport.targets.onnx.emitter import Array, Place
from spikeport.targets.onnx.lowerings.base import Lowering, Moment, lowers
from spikeport.targets.onnx.lowerings.neurons import split


class _OverTime(Lowering):
    """A sum over all steps; in the step graph a running one."""

    def treatment(self, node: Node) -> Treatment:
        return Treatment(EXACT.status, how="in the step graph, over the steps so far")

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        by_step = place.op("Reshape", inputs[0], place.integers(steps, -1, *place.node.shape))
        total = place.op("ReduceSum", by_step, place.integers(0), keepdims=0)
        return self._read(place, total, place.scalar(steps))

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        summed = place.op("Add", moment.before(place, "sum", 0.0), inputs[0])
        total = moment.after(place, "sum", summed)
        return self._read(place, total, moment.count(place) if self.divides else "")

    divides: bool

    def _read(self, place: Place, total: str, count: str) -> str:
        return place.op("Div", total, count) if self.divides else total


@lowers(MeanTime)
class MeanTimeLowering(_OverTime):
    divides = True


@lowers(SumTime)
class SumTimeLowering(_OverTime):
    divides = False


@lowers(RepeatTime)
class RepeatTimeLowering(Lowering):
    """Copies; in the step graph the value itself, since each step is given the image."""

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        repeats = place.integers(steps, *[1] * len(place.node.shape))
        return place.op("Tile", inputs[0], repeats)

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        return inputs[0]


@lowers(AddPerStep)
class AddPerStepLowering(Lowering):
    """A table of constants; in the step graph its rows are found by a step counter."""

    def treatment(self, node: Node) -> Treatment:
        steps = cast(AddPerStep, node.op).steps
        return Treatment(EXACT.status, how=f"its constants are for {steps} time steps, not more")

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        table = _table(place)
        by_step = place.op("Reshape", inputs[0], place.integers(steps, -1, *place.node.shape))
        constants = place.parameter("value", table.reshape(steps, 1, *table.shape[1:]))
        return place.reshaped(place.op("Add", by_step, constants), *place.node.shape)

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        return place.op("Add", inputs[0], moment.of_step(place, "value", _table(place)))


def _table(place: Place) -> Array:
    value = cast(AddPerStep, place.node.op).value.detach().cpu().double().numpy()
    return value.astype(place.emit.dtype)


@lowers(Delay)
class DelayLowering(Lowering):
    """What its source was one step before. Its state is left by whoever writes the step."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        source = cast(Delay, node.op).source
        if source not in graph or not graph[source].per_step:
            yield error(
                node, f"it shows {source!r}, which has no value per step.", "Trace the model again."
            )

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        parts = split(place, inputs[0], steps)
        shown = [zeros_like(place, parts[0]), *parts[:-1]]
        return shown[0] if steps == 1 else place.op("Concat", *shown, axis=0)

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        return moment.before(place, "delayed", 0.0)


def zeros_like(place: Place, entry: str) -> str:
    """Zeros in the shape of the node, for the batch of `entry` `[B, ...]`."""
    batch = place.op("Shape", entry, start=0, end=1)
    shape = place.op("Concat", batch, place.integers(*place.node.shape), axis=0)
    zero = helper.make_tensor("zero", place.emit.onnx_type, [1], np.zeros(1))
    return place.op("ConstantOfShape", shape, value=zero)
