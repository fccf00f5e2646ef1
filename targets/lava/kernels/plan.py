"""Which kernel computes which node, and in what order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from spikeport.convert.executor import Tap
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import Input, Neuron, Op, RepeatTime, Stateless
from spikeport.core.errors import UsageError
from spikeport.targets.lava.kernels.base import MAKERS, SINGLE_LIMIT, Edge, Kernel, bounds_of
from spikeport.targets.lava.kernels.floating import floating_kernel
from spikeport.targets.lava.kernels.neuron import FusedNeuron, stepped_neuron
from spikeport.targets.lava.ops import LavaShift
from spikeport.targets.lava.quantise.bounds import Interval, between, spikes

BYTE_LIMIT = 255


class Choice(NamedTuple):
    """One row of the table of kernels."""

    node: str
    kernel: str
    why: str


@dataclass(frozen=True)
class Repeated:
    """`RepeatTime`: one step is shown at all."""

    steps: int
    dtype: torch.dtype
    name: str = "view"
    why: str = "moves values only"

    def run(self, *inputs: Tensor) -> Tensor:
        (x,) = inputs
        return x.expand(self.steps, *x.shape[1:])


@dataclass(frozen=True)
class Step:
    """One node at work.

    Attributes:
        reads: names of the nodes whose outputs the kernel reads.
        only_shown: whether no other step reads its output, so that only a tap wants it.
        done: names of values that no later step reads.
    """

    node: Node
    kernel: Kernel
    reads: tuple[str, ...]
    only_shown: bool
    done: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """A graph of whole numbers with a kernel for each node; loops and ops over time it has none.

    Attributes:
        entry: type that frames are taken in.
    """

    graph: Graph
    entry: torch.dtype
    steps: tuple[Step, ...]

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What computes each node, in order."""
        return tuple(
            Choice(step.node.name, step.kernel.name, step.kernel.why) for step in self.steps
        )

    @torch.no_grad()
    def run(self, frames: Tensor, tap: Tap | None = None) -> Tensor:
        """The output of the graph; see `Executor.run`. A tap sees values in float.

        Raises:
            UsageError: there is no time step.
        """
        start = self.graph.input
        if start.per_step and not len(frames):
            raise UsageError(
                "0 time steps were given; it takes one or more.",
                where=start.name,
                fix="Frame the data into one step or more.",
            )
        values = {start.name: _stepped(frames.to(device="cpu", dtype=self.entry), start)}
        if tap is not None:
            tap(start, _shown(values[start.name], start))
        for step in self.steps:
            if step.only_shown and tap is None:
                continue
            values[step.node.name] = step.kernel.run(*self._inputs(step, values))
            if tap is not None:
                tap(step.node, _shown(values[step.node.name], step.node))
            for name in step.done:
                values.pop(name, None)
        output = self.graph[self.graph.outputs[0]]
        return _shown(values[output.name], output)

    def _inputs(self, step: Step, values: dict[str, Tensor]) -> list[Tensor]:
        read = [values[name] for name in step.reads]
        steps = max(len(x) for x in read)
        # What has no time axis stands once, and is read at every step.
        return [x if len(x) == steps else x.expand(steps, *x.shape[1:]) for x in read]


def plan(graph: Graph, low: int, high: int) -> Plan | None:
    """Choose a kernel for each node by what is proven for inputs from `low` to `high`.

    Returns None if the graph has feedback or ops that no kernel computes.
    """
    served = (Input, Neuron, RepeatTime, Stateless)
    if graph.delays or not all(isinstance(node.op, served) for node in graph):
        return None
    edges: dict[str, Edge] = {}
    kernels: dict[str, Kernel] = {}
    for node in graph:
        if isinstance(node.op, Input):
            edges[node.name] = _entry(node, low, high)
            continue
        sources = tuple(edges[name] for name in node.inputs)
        kernels[node.name] = kernel = _kernel(node.op, sources)
        edges[node.name] = Edge(kernel.dtype, _bounds(node, sources))
    return Plan(graph, edges[graph.input.name].dtype, _ordered(graph, kernels))


def _entry(node: Node, low: int, high: int) -> Edge:
    bounds = between(node.shape, low, high)
    if low >= 0 and high <= BYTE_LIMIT:
        return Edge(torch.uint8, bounds)
    single = max(-low, high) < SINGLE_LIMIT
    return Edge(torch.float32 if single else torch.float64, bounds)


def _kernel(op: Op, sources: tuple[Edge, ...]) -> Kernel:
    for make in MAKERS.get(op.kind, ()):
        kernel = make(op, sources)
        if kernel is not None:
            return kernel
    if isinstance(op, Neuron):
        return stepped_neuron(op, sources)
    if isinstance(op, RepeatTime):
        return Repeated(op.steps, sources[0].dtype)
    assert isinstance(op, Stateless)
    return floating_kernel(op, sources)


def _bounds(node: Node, sources: tuple[Edge, ...]) -> Interval | None:
    if isinstance(node.op, Neuron):
        return spikes(node.shape)
    return bounds_of(node.op, sources)


def _ordered(graph: Graph, kernels: dict[str, Kernel]) -> tuple[Step, ...]:
    """The steps in graph order; neurons shift what they read themselves."""
    kernels, reads = dict(kernels), {name: graph[name].inputs for name in kernels}
    for name, kernel in kernels.items():
        source = graph[graph[name].inputs[0]]
        shifts = isinstance(source.op, LavaShift) and source.op.bits >= 0
        if shifts and isinstance(kernel, FusedNeuron):
            assert isinstance(source.op, LavaShift)
            kernels[name], reads[name] = kernel.shifted(source.op.bits), source.inputs
    last: dict[str, str] = {}
    for name in kernels:
        last |= dict.fromkeys(reads[name], name)
    steps = []
    for name, kernel in kernels.items():
        only_shown = name not in last and name not in graph.outputs
        done = tuple(
            source
            for source, reader in last.items()
            if reader == name and source not in graph.outputs
        )
        steps.append(Step(graph[name], kernel, reads[name], only_shown, done))
    return tuple(steps)


def _stepped(value: Tensor, node: Node) -> Tensor:
    """With a time axis."""
    return value if node.per_step else value.unsqueeze(0)


def _shown(value: Tensor, node: Node) -> Tensor:
    shown = value if node.per_step else value[0]
    return shown if shown.is_floating_point() else shown.to(torch.float32)
