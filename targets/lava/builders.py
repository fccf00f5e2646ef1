"""From a node of the integer graph to Lava processes: one function per kind of op.

Imports Lava: use only after `shim.import_lava()`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph, Node
from spikeport.convert.ops import (
    Add,
    AddConstant,
    AddPerStep,
    Conv,
    Delay,
    Input,
    Linear,
    MatMul,
    MaxPool,
    Multiply,
    Op,
    Permute,
    RepeatTime,
    Reshape,
    Sum,
)
from spikeport.core.errors import UsageError
from spikeport.core.registry import Registry
from spikeport.targets.lava.ops import LavaAvgPool, LavaLIF, LavaMean, LavaShift
from spikeport.targets.lava.processes import binary
from spikeport.targets.lava.processes.api import AbstractProcess, InPort, Integers, OutPort
from spikeport.targets.lava.processes.avg_pool import AvgPool as AvgPoolProcess
from spikeport.targets.lava.processes.feedback import Gate, GatedLine, StepConstants
from spikeport.targets.lava.processes.layout import lava_shape, to_lava
from spikeport.targets.lava.processes.max_pool import MaxPool as MaxPoolProcess
from spikeport.targets.lava.processes.reduce import Reduce
from spikeport.targets.lava.processes.shift import Shift
from spikeport.targets.lava.processes.source import Source
from spikeport.targets.lava.processes.unary import Unary
from spikeport.targets.lava.processes.view import View
from spikeport.targets.lava.retime import Schedule

if TYPE_CHECKING:
    LavaConv: Any
    LIFReset: Any
else:
    from lava.proc.conv.process import Conv as LavaConv
    from lava.proc.lif.process import LIFReset

GRADED_MESSAGE_BITS = 24
"""Lava's convolution takes spikes as they are only if told that messages carry numbers."""


class Placed(NamedTuple):
    """The processes of one node, upstream first, the ports it reads (by input) and its output."""

    processes: tuple[AbstractProcess, ...]
    inputs: tuple[InPort, ...]
    output: OutPort


@dataclass(frozen=True)
class Site:
    """What a builder may look at.

    Attributes:
        frames: `[steps, *shape]`, samples one after the other.
        time_steps: T of one sample.
    """

    graph: Graph
    schedule: Schedule
    frames: Integers
    time_steps: int


Builder = Callable[[Site, Node], Placed]
BUILDERS: Registry[Builder] = Registry("Lava process builder")


def _builds(*ops: type[Op]) -> Callable[[Builder], Builder]:
    def register(builder: Builder) -> Builder:
        for op in ops:
            BUILDERS.add(op.kind, builder)
        return builder

    return register


def _shape_in(site: Site, node: Node) -> tuple[int, ...]:
    return site.graph[node.inputs[0]].shape


def _unary(process: Unary) -> Placed:
    return Placed((process,), (process.s_in,), process.s_out)


@_builds(Input)
def _source(site: Site, node: Node) -> Placed:
    process = Source(name=node.name, frames=site.frames)
    return Placed((process,), (), process.s_out)


@_builds(LavaLIF)
def _neuron(site: Site, node: Node) -> Placed:
    op = cast(LavaLIF, node.op)
    bias = 0 if op.bias_mant is None else _full(op.bias_mant, node.shape)
    process = LIFReset(
        name=node.name,
        shape=lava_shape(node.shape),
        du=op.du,
        dv=op.dv,
        vth=op.vth if op.thresholds is None else _full(op.thresholds, node.shape),
        bias_mant=bias,
        bias_exp=op.bias_exp,
        reset_interval=site.time_steps,
        reset_offset=site.schedule.reset_offset(node.name, site.time_steps),
    )
    return Placed((process,), (process.a_in,), process.s_out)


def _full(value: Tensor, shape: tuple[int, ...]) -> Integers:
    return np.ascontiguousarray(to_lava(value.expand(shape).numpy()), dtype=np.int32)


@_builds(Conv)
def _conv(site: Site, node: Node) -> Placed:
    op = cast(Conv, node.op)
    process = _convolution(
        site, node, node.name, _shape_in(site, node), op.weight,
        stride=op.stride, padding=op.padding, dilation=op.dilation, groups=op.groups,
    )  # fmt: skip
    return Placed((process,), (process.s_in,), process.a_out)


def _convolution(
    site: Site,
    node: Node,
    name: str,
    shape: tuple[int, ...],
    weight: Tensor,
    *,
    stride: tuple[int, ...] = (1, 1),
    padding: tuple[int, ...] = (0, 0),
    dilation: tuple[int, ...] = (1, 1),
    groups: int = 1,
) -> Any:
    kernel = weight.to(dtype=weight.dtype, device="cpu").numpy()
    while kernel.ndim < 4:  # [O, I, L] is [O, I, 1, L]; [O, I] is [O, I, 1, 1]
        kernel = kernel[:, :, None]
    spikes = site.graph[node.inputs[0]].domain is Domain.SPIKE
    return LavaConv(
        name=name,
        # Lava convolves, with axes (W, H); PyTorch correlates, with axes (H, W).
        weight=np.ascontiguousarray(kernel.transpose(0, 3, 2, 1)[:, ::-1, ::-1, :], np.int32),
        input_shape=lava_shape(shape),
        stride=_across(stride, 1),
        padding=_across(padding, 0),
        dilation=_across(dilation, 1),
        groups=groups,
        num_message_bits=0 if spikes else GRADED_MESSAGE_BITS,
    )


def _across(values: tuple[int, ...], missing: int) -> tuple[int, int]:
    """(H, W) or (L,) to (W, H)."""
    return (values[-1], values[0] if len(values) == 2 else missing)


@_builds(Linear)
def _linear(site: Site, node: Node) -> Placed:
    """A 1 x 1 convolution; the features become channels, whatever else there is positions."""
    op, shape = cast(Linear, node.op), _shape_in(site, node)
    if len(shape) == 1:
        process = _convolution(site, node, node.name, shape, op.weight)
        return Placed((process,), (process.s_in,), process.a_out)
    positions, axes = math.prod(shape[:-1]), len(shape)
    before = View(
        name=f"{node.name}.before",
        shape_in=shape,
        shape_out=(shape[-1], positions),
        order=(axes - 1, *range(axes - 1)),
        shape=(shape[-1], positions),
    )
    process = _convolution(site, node, node.name, (shape[-1], positions), op.weight)
    after = View(
        name=f"{node.name}.after",
        shape_in=(op.out_features, positions),
        shape_out=node.shape,
        order=(1, 0),
        shape=node.shape,
    )
    before.s_out.connect(process.s_in)
    process.a_out.connect(after.s_in)
    return Placed((before, process, after), (before.s_in,), after.s_out)


@_builds(MaxPool)
def _max_pool(site: Site, node: Node) -> Placed:
    op = cast(MaxPool, node.op)
    return _unary(
        MaxPoolProcess(
            name=node.name,
            shape_in=_shape_in(site, node),
            shape_out=node.shape,
            kernel=op.kernel,
            stride=op.stride,
            padding=op.padding,
        )
    )


@_builds(Reshape, Permute, RepeatTime)
def _view(site: Site, node: Node) -> Placed:
    shape = _shape_in(site, node)
    order = tuple(range(len(shape)))
    order = getattr(node.op, "order", order)
    return _unary(
        View(name=node.name, shape_in=shape, shape_out=node.shape, order=order, shape=node.shape)
    )


@_builds(LavaShift)
def _shift(site: Site, node: Node) -> Placed:
    bits = cast(LavaShift, node.op).bits
    return _unary(Shift(name=node.name, shape_in=node.shape, shape_out=node.shape, bits=bits))


@_builds(Sum, LavaMean)
def _reduce(site: Site, node: Node) -> Placed:
    op, shape = cast("Sum | LavaMean", node.op), _shape_in(site, node)
    return _unary(
        Reduce(
            name=node.name,
            shape_in=shape,
            shape_out=node.shape,
            axes=op.axes,
            count=op.count(shape) if isinstance(op, LavaMean) else 1,
            keep=op.keep,
        )
    )


@_builds(LavaAvgPool)
def _avg_pool(site: Site, node: Node) -> Placed:
    op, shape = cast(LavaAvgPool, node.op), _shape_in(site, node)
    divisors = op.divisors(shape).numpy()
    return _unary(
        AvgPoolProcess(
            name=node.name,
            shape_in=shape,
            shape_out=node.shape,
            kernel=op.kernel,
            stride=op.stride,
            padding=op.padding,
            divisors=divisors if op.divide else np.ones_like(divisors),
        )
    )


@_builds(AddConstant, AddPerStep)
def _constants(site: Site, node: Node) -> Placed:
    op = cast("AddConstant | AddPerStep", node.op)
    per_step = isinstance(op, AddPerStep)
    if isinstance(op, AddPerStep) and op.steps != site.time_steps:
        raise UsageError(
            f"{site.time_steps} time steps were given; its constants are for {op.steps}.",
            where=node.path or node.name,
            fix="Frame the data into that many steps.",
        )
    table = op.value if per_step else op.value.unsqueeze(0)
    return _unary(
        StepConstants(
            name=node.name,
            shape_in=_shape_in(site, node),
            shape_out=node.shape,
            table=table.expand(len(table), *node.shape).numpy().astype(np.int32),
            **_when(site, node),
        )
    )


@_builds(Delay)
def _delay(site: Site, node: Node) -> Placed:
    """Reads, by its only port, the node that it shows."""
    options = {"shape_in": node.shape, "shape_out": node.shape, **_when(site, node)}
    steps = site.schedule.feedback[node.name]
    if steps:
        return _unary(GatedLine(name=node.name, steps=steps, **options))
    return _unary(Gate(name=node.name, **options))


def _when(site: Site, node: Node) -> dict[str, Any]:
    """Where samples begin, for processes that must know."""
    return {"interval": site.time_steps, "latency": site.schedule.latency[node.name]}


_PAIRS: dict[str, type[binary.Binary]] = {
    Add.kind: binary.Relay,
    Multiply.kind: binary.Mask,
    MatMul.kind: binary.SpikeMatMul,
}


@_builds(Add, Multiply, MatMul)
def _pair(site: Site, node: Node) -> Placed:
    left, right = (site.graph[name].shape for name in node.inputs)
    process = _PAIRS[node.op.kind](name=node.name, left=left, right=right, shape_out=node.shape)
    return Placed((process,), (process.left, process.right), process.s_out)
