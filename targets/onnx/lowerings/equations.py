"""Neurons and membranes of a differential equation, one Euler step per time step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import EulerNeuron, Integrator
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import Moment, lowers
from spikeport.targets.onnx.lowerings.neurons import NeuronLowering

Equation = EulerNeuron | Integrator


def _charged(at: Place, v: str, x: str) -> str:
    """v + ((leak - v) + gain x) / tau, or v + gain x."""
    op = cast(Equation, at.node.op)
    driven = at.op("Mul", at.parameter("gain", op.gain), x)
    if op.tau is None:
        return at.op("Add", v, driven)
    slope = at.op("Add", at.op("Sub", at.parameter("leak", op.leak), v), driven)
    return at.op("Add", v, at.op("Div", slope, at.parameter("tau", op.tau)))


def _start(op: Equation) -> Tensor:
    """Where membranes start."""
    if op.tau is not None:
        return op.leak
    return op.v_reset if isinstance(op, EulerNeuron) else torch.zeros(1)


@lowers(EulerNeuron, _charged)
class EulerNeuronLowering(NeuronLowering):
    """Fires above its threshold or at it, and is set to a value."""

    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        op = cast(Equation, node.op)
        if not graph[node.inputs[0]].per_step:
            yield error(
                node,
                "this neuron reads a value without time axis.",
                "Repeat the input over the time steps before it.",
            )
        if not all(bool(value.isfinite().all()) for value in op.tensors().values()):
            yield error(node, "one of its numbers is not finite.", "Give it a finite one.")
        start = _start(op).flatten()
        if bool((start != start[0]).any()):
            yield error(
                node,
                "its membranes start at different values.",
                "Give all of its neurons one resting potential.",
            )

    def _fire(self, at: Place, current: str, moment: Moment) -> str:
        op = cast(EulerNeuron, at.node.op)
        h = _charged(at, moment.before(at, "v", float(_start(op).flatten()[0])), current)
        threshold = at.parameter("threshold", op.v_threshold)
        fired = at.op("Greater" if op.strict else "GreaterOrEqual", h, threshold)
        moment.after(at, "v", at.op("Where", fired, at.parameter("reset", op.v_reset), h))
        return fired


@lowers(Integrator, _charged)
class IntegratorLowering(EulerNeuronLowering):
    """Shows its membrane, and neither fires nor is reset."""

    def _fire(self, at: Place, current: str, moment: Moment) -> str:
        start = float(_start(cast(Integrator, at.node.op)).flatten()[0])
        h = _charged(at, moment.before(at, "v", start), current)
        return moment.after(at, "v", h)
