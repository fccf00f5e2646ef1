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


@lowers(IF, _lossless)
@lowers(LIF, _lif)
@lowers(ParametricLIF, _parametric)
@lowers(ChannelNeuron, _per_channel)
class NeuronLowering(Lowering):
    """Unrolled over time: a Scan takes as long on onnxruntime, and hides the steps."""

    def __init__(self, membrane: Membrane) -> None:
        self._membrane = membrane

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        op = cast(Neuron, node.op)
        if not graph[node.inputs[0]].per_step:
            yield error(
                node,
                "this neuron reads a value without time axis.",
                "Repeat the input over the time steps before it.",
            )
        numbers = [torch.as_tensor(op.threshold()), torch.tensor(op.reset() or 0.0)]
        if not all(bool(number.isfinite().all()) for number in numbers):
            yield error(
                node, "its threshold or reset value is not finite.", "Give it a finite one."
            )
        if isinstance(op, LIF) and not math.isfinite(op.tau):
            yield error(node, "its time constant is not finite.", "Use an IF neuron.")

    def all_steps(self, place: Place, inputs: Sequence[str], steps: int) -> str:
        parts = split(place, inputs[0], steps)
        states: dict[str, str] = {}
        fired = []
        for step, current in enumerate(parts):
            at = Place(place.emit, place.node, place.shapes, f"@{step}")
            moment = KnownStep(step, states)
            fired.append(self._fire(at, current, moment))
            states = moment.left
        joined = fired[0] if steps == 1 else place.op("Concat", *fired, axis=0)
        return place.op("Cast", joined, to=place.emit.onnx_type)

    def one_step(self, place: Place, inputs: Sequence[str], moment: Moment) -> str:
        fired = self._fire(place, inputs[0], moment)
        return place.op("Cast", fired, to=place.emit.onnx_type)

    def _fire(self, at: Place, current: str, moment: Moment) -> str:
        """Which neurons fire, as bools; their membranes are left to the next step."""
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
