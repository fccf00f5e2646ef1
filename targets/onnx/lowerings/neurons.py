"""Neurons: charge, fire on membrane >= threshold, reset, rounded as the graph's own ops round."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import cast

import torch

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import IF, LIF, ChannelNeuron, Neuron, ParametricLIF
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import Lowering, Moment, lowers
from spikeport.targets.onnx.moments import KnownStep

Membrane = Callable[[Place, str, str], str]


def _lossless(at: Place, v: str, x: str) -> str:
    """v + x."""
    return at.op("Add", v, x)


def _above_rest(at: Place, v: str) -> str:
    """v - r; v itself where r is 0, which no rounding tells apart."""
    rest = cast(Neuron, at.node.op).reset() or 0.0
    return v if rest == 0.0 else at.op("Sub", v, at.scalar(rest))


def _leaky(at: Place, v: str, x: str, leak: Callable[[str], str], decays: bool) -> str:
    """v + leak(x - (v - r)), or v - leak(v - r) + x where the input does not decay."""
    lost = _above_rest(at, v)
    if decays:
        return at.op("Add", v, leak(at.op("Sub", x, lost)))
    return at.op("Add", at.op("Sub", v, leak(lost)), x)


def _lif(at: Place, v: str, x: str) -> str:
    op = cast(LIF, at.node.op)
    return _leaky(at, v, x, lambda y: at.op("Div", y, at.scalar(op.tau)), op.decay_input)


def _parametric(at: Place, v: str, x: str) -> str:
    op = cast(ParametricLIF, at.node.op)
    leak = at.parameter("leak", op.weight.to(at.torch_dtype).sigmoid())
    return _leaky(at, v, x, lambda y: at.op("Mul", y, leak), op.decay_input)


def _per_channel(at: Place, v: str, x: str) -> str:
    op = cast(ChannelNeuron, at.node.op)
    if op.tau is not None:
        tau = at.parameter("tau", op.tau)
        return _leaky(at, v, x, lambda y: at.op("Div", y, tau), op.decay_input)
    if op.weight is not None:
        leak = at.parameter("leak", op.weight.to(at.torch_dtype).sigmoid())
        return _leaky(at, v, x, lambda y: at.op("Mul", y, leak), op.decay_input)
    return _lossless(at, v, x)


class Stepped(Lowering):
    """An op with a membrane, unrolled over time: a Scan takes as long on onnxruntime, and hides
    the steps."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        if not graph[node.inputs[0]].per_step:
            yield error(
                node,
                "this neuron reads a value without time axis.",
                "Repeat the input over the time steps before it.",
            )

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        states: dict[str, str] = {}
        emitted = []
        for step, current in enumerate(split(place, inputs[0], steps)):
            at = Place(place.emit, place.node, place.shapes, f"@{step}")
            moment = KnownStep(step, states)
            emitted.append(self.advance(at, current, moment))
            states = moment.left
        joined = emitted[0] if steps == 1 else place.op("Concat", *emitted, axis=0)
        return self.finish(place, joined)

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        return self.finish(place, self.advance(place, inputs[0], moment))

    def advance(self, at: Place, current: str, moment: Moment) -> str:
        """What it emits at one step; its membrane is left to the next."""
        raise TypeError(f"{at.node.op.kind} has no step")

    def finish(self, place: Place, emitted: str) -> str:
        """The value of the node from what was emitted, here bools."""
        return place.op("Cast", emitted, to=place.emit.onnx_type)


@lowers(IF, _lossless)
@lowers(LIF, _lif)
@lowers(ParametricLIF, _parametric)
@lowers(ChannelNeuron, _per_channel)
class NeuronLowering(Stepped):
    """Neurons of one reset value."""

    def __init__(self, membrane: Membrane) -> None:
        self._membrane = membrane

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        yield from super().check(graph, node)
        op = cast(Neuron, node.op)
        numbers = [torch.as_tensor(op.threshold()), torch.tensor(op.reset() or 0.0)]
        if not all(bool(number.isfinite().all()) for number in numbers):
            yield error(
                node, "its threshold or reset value is not finite.", "Give it a finite one."
            )
        if isinstance(op, LIF) and not math.isfinite(op.tau):
            yield error(node, "its time constant is not finite.", "Use an IF neuron.")

    def advance(self, at: Place, current: str, moment: Moment) -> str:
        op = cast(Neuron, at.node.op)
        rest, level = op.reset(), op.threshold()
        threshold = (
            at.parameter("threshold", level)
            if isinstance(level, torch.Tensor)
            else at.scalar(level)
        )
        h = self._membrane(at, moment.before(at, "v", rest or 0.0), current)
        fired = at.op("GreaterOrEqual", h, threshold)
        after = at.op("Sub", h, threshold) if rest is None else at.scalar(rest)
        moment.after(at, "v", at.op("Where", fired, after, h))
        return fired


def split(place: Place, x: str, steps: int) -> Sequence[str]:
    """What lies in `[T * B, ...]` step by step, each `[B, ...]`."""
    if steps == 1:
        return [x]
    return place.ops("Split", x, count=steps, axis=0, num_outputs=steps)
