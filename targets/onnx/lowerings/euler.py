"""The neurons and integrators of NIR: Euler steps, parameters that broadcast to the features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from torch import Tensor

from spikeport.convert.check import Finding, error
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import EulerNeuron, Integrator
from spikeport.targets.onnx.emitter import Place
from spikeport.targets.onnx.lowerings.base import Moment, lowers
from spikeport.targets.onnx.lowerings.neurons import Stepped


def start_of(op: EulerNeuron | Integrator) -> Tensor | None:
    """The membrane before the first step; None for 0."""
    if op.tau is not None:
        return op.leak
    return op.v_reset if isinstance(op, EulerNeuron) else None


class _Euler(Stepped):
    def check(self, graph: Graph, node: Node) -> Iterator[Finding]:
        yield from super().check(graph, node)
        op = cast(EulerNeuron | Integrator, node.op)
        if not all(bool(value.isfinite().all()) for value in op.tensors().values()):
            yield error(node, "one of its parameters is not finite.", "Give finite ones.")
        start = start_of(op)
        if start is not None and bool((start != start.flatten()[0]).any()):
            yield error(
                node,
                "its membranes start at different values; the files hold one initial value.",
                "Give it one leak (or, without leak, one reset value) for the whole layer.",
            )

    def charged(self, at: Place, current: str, moment: Moment) -> str:
        """v + ((leak - v) + gain x) / tau, or v + gain x."""
        op = cast(EulerNeuron | Integrator, at.node.op)
        start = start_of(op)
        v = moment.before(at, "v", 0.0 if start is None else float(start.flatten()[0]))
        driven = at.op("Mul", at.parameter("gain", op.gain), current)
        if op.tau is None:
            return at.op("Add", v, driven)
        lost = at.op("Sub", at.parameter("leak", op.leak), v)
        change = at.op("Div", at.op("Add", lost, driven), at.parameter("tau", op.tau))
        return at.op("Add", v, change)


@lowers(EulerNeuron)
class EulerNeuronLowering(_Euler):
    def advance(self, at: Place, current: str, moment: Moment) -> str:
        op = cast(EulerNeuron, at.node.op)
        h = self.charged(at, current, moment)
        compare = "Greater" if op.strict else "GreaterOrEqual"
        fired = at.op(compare, h, at.parameter("threshold", op.v_threshold))
        moment.after(at, "v", at.op("Where", fired, at.parameter("reset", op.v_reset), h))
        return fired


@lowers(Integrator)
class IntegratorLowering(_Euler):
    def advance(self, at: Place, current: str, moment: Moment) -> str:
        return moment.after(at, "v", self.charged(at, current, moment))

    def finish(self, place: Place, emitted: str) -> str:
        return emitted
