"""The float graph with weights and biases that fixed point holds as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from spikeport.convert.graph import Graph, Node, rebuilt
from spikeport.convert.ops import Op
from spikeport.targets.lava.quantise.layers import Layer, layer_of, unit_ratio
from spikeport.targets.lava.quantise.options import Search
from spikeport.targets.lava.quantise.search.moments import Moments, moments
from spikeport.targets.lava.quantise.search.rounding import (
    Rounded,
    better,
    damped,
    nearest,
    together,
)

ROWS_PER_INPUT = 4
"""Inputs seen per weight of an output, at least: from fewer one learns the calibration by heart."""

CLIPPED_BITS = 1
"""By how many bits finer weights may be than what their largest fits into."""


@dataclass(frozen=True)
class Gain:
    """What the search did to one layer: root mean squared error of its current on calibration.

    Attributes:
        before: weights rounded to the nearest number.
        after: as chosen.
        scale: root mean squared size of what varies in the current.
        bias: largest correction of a bias.
        clipped: output channels whose largest weights are clipped.
        seen: how many inputs of single outputs the choice rests on.
        enough: whether those are enough; else the layer is as without search.
    """

    before: float
    after: float
    scale: float
    bias: float
    clipped: int
    seen: int
    enough: bool


class Chosen(NamedTuple):
    """The graph with other weights and biases, and what that gains by layer."""

    graph: Graph
    gains: dict[str, Gain]


def search(
    graph: Graph, layers: Mapping[str, Layer], frames: Tensor, bits: int, how: Search
) -> Chosen:
    """Choose whole-numbered weights by what they do to currents on calibration frames.

    Each layer reads the float network's spikes, so layers are chosen independently.

    Args:
        graph: as it is quantised.
        layers: as they are without search.
        frames: calibration.
        bits: width of a weight.
        how: `bias`: weights are rounded to the nearest number and the mean error of each current
            is taken off its bias; `weights`: weights are rounded together too, and clipped where
            that leaves a smaller error.
    """
    seen = moments(graph, frames, layers)
    replacements: dict[str, Op] = {}
    gains: dict[str, Gain] = {}
    for name, found in seen.items():
        op, gains[name] = _chosen(graph[name], layers[name], found, bits, how)
        if gains[name].enough:
            replacements[name] = op
    return Chosen(rebuilt(graph, replacements), gains)


def _chosen(node: Node, layer: Layer, seen: Moments, bits: int, how: Search) -> tuple[Op, Gain]:
    op, h = layer_of(node), damped(seen.covariance)
    groups = len(h)
    exact = layer.scaled.double().reshape(groups, -1, h.shape[-1])
    own = layer.own.clamp(max=layer.exponent).reshape(groups, -1)
    top = 2 ** (bits - 1) - 1
    base = _in_real(exact, own, h, top, "bias")
    best = base if how == "bias" else better(base, _in_real(exact, own, h, top, how))
    clipped = torch.zeros_like(own, dtype=torch.bool)
    if how == "weights":
        finer = (own + CLIPPED_BITS).clamp(max=layer.exponent)
        narrow = _in_real(exact, finer, h, top, how)
        clipped = (narrow.error < best.error) & (finer > own)
        best = better(best, narrow)
    off, ratio = best.whole - exact, unit_ratio(node, layer)
    mean_error = (off * seen.mean.unsqueeze(1)).sum(-1).flatten() / ratio
    bias = -mean_error if op.bias is None else op.bias.double() - mean_error
    weight = (best.whole / ratio).reshape(op.weight.shape)
    gain = Gain(
        before=float(base.error.mean().sqrt()) / ratio,
        after=float(best.error.mean().sqrt()) / ratio,
        scale=float(((exact @ h) * exact).sum(-1).mean().sqrt()) / ratio,
        bias=float(mean_error.abs().max()),
        clipped=int(clipped.sum()),
        seen=seen.rows,
        enough=seen.rows >= ROWS_PER_INPUT * h.shape[-1],
    )
    return replace(op, weight=weight, bias=bias), gain


def _in_real(exact: Tensor, exponents: Tensor, h: Tensor, top: int, how: Search) -> Rounded:
    """Rounded at these exponents, in the unit of the weights."""
    step = 2.0 ** -exponents.double()
    rounding = together if how == "weights" else nearest
    found = rounding(exact / step.unsqueeze(-1), h, top)
    return Rounded(found.whole * step.unsqueeze(-1), found.error * step**2)
