"""One edge of the graph while it passes, and exact sums over it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Node

# Whole numbers up to here are exact in float32; larger sums are taken in float64.
_EXACT_FLOAT32 = 1 << 24


@dataclass(frozen=True, eq=False)
class Reduction:
    """Sum of events (`magnitude`: of |x|) over all feature axes but `keep`, then over weights.

    Attributes:
        keep: feature axes that stay, in ascending order.
        weights: float64, one axis per kept axis; contracted if given, so that `[T, B]` is left.
        magnitude: sum |x| instead of counting the non-zero elements.
    """

    keep: tuple[int, ...] = ()
    weights: Tensor | None = None
    magnitude: bool = False

    def __call__(self, edge: Edge) -> Tensor:
        """float64 whole numbers, `[T, B]` or `[T, B, *kept]`; T is 1 for a value per sample."""
        counts = edge.counts(self.keep, self.magnitude)
        if self.weights is None:
            return counts
        weights = self.weights.to(counts.device)
        return counts.flatten(2) @ weights.flatten() if self.keep else counts * weights


def weighted(weights: Tensor, *, magnitude: bool = False) -> Reduction:
    """Sum of `weights` over the events of an edge; `weights` `[*shape]` or broadcast to it."""
    keep = tuple(axis for axis, size in enumerate(weights.shape) if size > 1)
    return Reduction(keep, weights.reshape([weights.shape[axis] for axis in keep]), magnitude)


class Edge:
    """The output of a node for one batch; sums over it are computed once and shared."""

    def __init__(self, node: Node, value: Tensor) -> None:
        self.node = node
        self.value = value if node.per_step else value.unsqueeze(0)
        self._cache: dict[bool, dict[tuple[int, ...], Tensor]] = {False: {}, True: {}}

    def counts(self, keep: tuple[int, ...], magnitude: bool = False) -> Tensor:
        """Events (or sum of |x|) by time step, sample and kept axes: float64 `[T, B, *kept]`."""
        # Events of a spike edge are 0 or 1: their sum is their number.
        magnitude = magnitude and self.node.domain is not Domain.SPIKE
        cache = self._cache[magnitude]
        if keep not in cache:
            finer = [axes for axes in cache if set(keep) < set(axes)]
            if finer:
                axes = min(finer, key=len)
                gone = [2 + i for i, axis in enumerate(axes) if axis not in keep]
                cache[keep] = cache[axes].sum(gone)
            else:
                cache[keep] = self._sum(keep, magnitude)
        return cache[keep]

    def _sum(self, keep: tuple[int, ...], magnitude: bool) -> Tensor:
        value = self.value
        gone = [2 + axis for axis in range(len(self.node.shape)) if axis not in keep]
        if magnitude:
            value = value.abs().double()
        elif self.node.domain is not Domain.SPIKE:
            value = value.ne(0)
        if not gone:
            return value.double()
        terms = 1
        for axis in gone:
            terms *= value.shape[axis]
        exact_in_32 = terms < _EXACT_FLOAT32 and not magnitude
        return value.sum(gone, dtype=torch.float32 if exact_in_32 else torch.float64).double()
