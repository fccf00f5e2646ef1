"""Layers with weights, and pooling."""

from __future__ import annotations

import torch
from torch import Tensor

from spikeport.convert.ops import (
    AvgPool,
    Conv,
    Linear,
    MultiplyConstant,
    Scale,
    SumPool,
    ZeroPad,
)
from spikeport.core.errors import UnsupportedError
from spikeport.targets.nir.reading.context import PRIMITIVES, Building
from spikeport.targets.nir.reading.fields import Fields
from spikeport.targets.nir.reading.primitives.neurons import compact


@PRIMITIVES.register("Affine")
def read_affine(building: Building, node: Fields, source: str) -> None:
    """y = W x + b."""
    node.only(("weight", "bias"))
    op = Linear(_matrix(node), node.weight("bias", 1))
    building.add(node.name, op, source)


@PRIMITIVES.register("Linear")
def read_linear(building: Building, node: Fields, source: str) -> None:
    """y = W x."""
    node.only(("weight",))
    building.add(node.name, Linear(_matrix(node), None), source)


def _matrix(node: Fields) -> Tensor:
    weight = node.weight("weight")
    if weight.ndim > 2:
        raise UnsupportedError(
            f"its weight {list(weight.shape)} is a matrix for each of several vectors.",
            where=node.name,
            fix="Write one layer per vector.",
        )
    return node.weight("weight", 2)


@PRIMITIVES.register("Conv1d")
def read_conv1d(building: Building, node: Fields, source: str) -> None:
    """Over one axis."""
    _read_conv(building, node, source, 1)


@PRIMITIVES.register("Conv2d")
def read_conv2d(building: Building, node: Fields, source: str) -> None:
    """Over two axes."""
    _read_conv(building, node, source, 2)


def _read_conv(building: Building, node: Fields, source: str, axes: int) -> None:
    node.only(("weight", "bias", "stride", "padding", "dilation", "groups"))
    weight, bias = node.weight("weight", axes + 2), node.weight("bias", 1)
    stride, dilation = node.sizes("stride", axes), node.sizes("dilation", axes)
    named = node.text("padding")
    padding = (0,) * axes if named == "valid" else None
    if named == "same":
        if set(stride) != {1}:
            raise node.refuse("its padding is 'same' and its stride is not 1")
        margins = [d * (k - 1) for d, k in zip(dilation, weight.shape[2:], strict=True)]
        padding = tuple(margin // 2 for margin in margins)
        if any(margin % 2 for margin in margins):
            # One more on the far side, as in PyTorch.
            far = tuple(margin - margin // 2 for margin in margins)
            pad = ZeroPad((0, *padding), (0, *far))
            source = building.add(building.free(f"{node.name}.pad"), pad, source).name
            padding = (0,) * axes
    if padding is None:
        padding = node.sizes("padding", axes, least=0)
    groups = node.size("groups", 1)
    if weight.shape[0] % groups:
        raise node.refuse(f"{weight.shape[0]} channels do not make {groups} groups")
    # NIR has no convolution without bias; one of zeros adds nothing, and is not to be counted.
    kept = bias if bool(bias.any()) else None
    building.add(node.name, Conv(weight, kept, stride, padding, dilation, groups), source)


@PRIMITIVES.register("SumPool2d")
def read_sum_pool(building: Building, node: Fields, source: str) -> None:
    """Sum over a window."""
    building.add(node.name, SumPool(*_window(node)), source)


@PRIMITIVES.register("AvgPool2d")
def read_avg_pool(building: Building, node: Fields, source: str) -> None:
    """Mean over a window, padding counted as zeros, as all readers have it."""
    building.add(node.name, AvgPool(*_window(node), count_padding=True), source)


def _window(node: Fields) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    node.only(("kernel_size", "stride", "padding"))
    return (
        node.sizes("kernel_size", 2),
        node.sizes("stride", 2),
        node.sizes("padding", 2, 0, least=0),
    )


@PRIMITIVES.register("Scale")
def read_scale(building: Building, node: Fields, source: str) -> None:
    """y = x s, s for each element."""
    node.only(("scale",))
    value = node.weight("scale")
    if value.numel() > 1 and value.ndim != len(building.graph[source].shape):
        raise node.refuse(f"its scale has shape {list(value.shape)}, its input another")
    one = compact(value.double().numpy())
    if one.numel() == 1:
        building.add(node.name, Scale(float(one)), source)
        return
    shape = one.shape if value.ndim else torch.Size()
    building.add(node.name, MultiplyConstant(one.reshape(shape).to(value.dtype)), source)
