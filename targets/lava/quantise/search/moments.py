"""Mean and covariance of what each layer reads on calibration frames."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node
from spikeport.convert.interpreter import Interpreter
from spikeport.convert.ops import Conv, Linear
from spikeport.targets.lava.quantise.layers import layer_of
from spikeport.targets.lava.quantise.search.patches import patches


class Moments(NamedTuple):
    """Of the inputs of one output, per group of channels."""

    mean: Tensor
    """`[groups, inputs]`, float64."""
    covariance: Tensor
    """`[groups, inputs, inputs]`, float64."""
    rows: int
    """How many inputs they are taken over."""


def moments(graph: Graph, frames: Tensor, layers: Collection[str]) -> dict[str, Moments]:
    """Run the float graph and look at what these layers read.

    Args:
        frames: `[T, B, *shape]`, or images `[B, *shape]`.
    """
    found: dict[str, Moments] = {}

    def tap(node: Node, value: Tensor) -> None:
        readers = [reader for reader in graph.consumers(node.name) if reader.name in layers]
        shared: dict[tuple[object, ...], Moments] = {}
        for reader in readers:
            op = layer_of(reader)
            key = _geometry(op)
            if key not in shared:
                values = value.flatten(0, 1) if node.per_step else value
                shared[key] = _moments(patches(op, values))
            found[reader.name] = shared[key]

    Interpreter(graph, torch.float32).run(frames, tap)
    return found


def _geometry(op: Conv | Linear) -> tuple[object, ...]:
    """Layers of the same geometry read the same rows."""
    if isinstance(op, Linear):
        return ("linear",)
    return (op.kernel, op.stride, op.padding, op.dilation, op.groups)


def _moments(rows: Tensor) -> Moments:
    rows = rows.double()
    mean = rows.mean(1)
    centred = rows - mean.unsqueeze(1)
    return Moments(mean, centred.transpose(1, 2) @ centred / rows.shape[1], rows.shape[1])
