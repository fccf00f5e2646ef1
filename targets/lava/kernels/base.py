"""What a kernel is, and what is known about the values that it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from spikeport.convert.ops import Op
from spikeport.targets.lava.quantise.bounds import BOUNDS, Interval, interval

SINGLE_LIMIT = 2**24
"""Whole numbers up to this are exact in float32."""


class Edge(NamedTuple):
    """The output of a node, as kernels hand it on.

    Attributes:
        dtype: uint8 for spikes and small counts, else a floating type that is exact.
        bounds: proven, `[*feature]`; None if nothing is known.
    """

    dtype: torch.dtype
    bounds: Interval | None

    @property
    def largest(self) -> float:
        """Largest magnitude, infinity if unknown."""
        return torch.inf if self.bounds is None else self.bounds.largest

    @property
    def is_negative(self) -> bool:
        """Whether a value may be negative."""
        return self.bounds is None or float(self.bounds.low.min()) < 0


class Kernel(Protocol):
    """Computes one node over all time steps."""

    @property
    def name(self) -> str:
        """For tables."""
        ...

    @property
    def why(self) -> str:
        """What proves it to be exact, or why nothing faster is."""
        ...

    @property
    def dtype(self) -> torch.dtype:
        """Of what it returns."""
        ...

    def run(self, *inputs: Tensor) -> Tensor:
        """From `[T, B, *shape]` tensors to one, exactly, in whatever memory layout suits it."""
        ...


Maker = Callable[[Op, tuple[Edge, ...]], Kernel | None]
"""Makes a kernel, or returns None where it is not proven to be exact or cannot run here."""

MAKERS: dict[str, list[Maker]] = {}
"""By kind of op, the fastest first."""

MakerType = TypeVar("MakerType", bound=Maker)


def maker(*ops: type[Op]) -> Callable[[MakerType], MakerType]:
    """Decorator: register what makes kernels for these ops."""

    def register(function: MakerType) -> MakerType:
        for op in ops:
            MAKERS.setdefault(op.kind, []).append(function)
        return function

    return register


def bounds_of(op: Op, inputs: tuple[Edge, ...]) -> Interval | None:
    """Proven bounds of what the op returns."""
    known = [edge.bounds for edge in inputs if edge.bounds is not None]
    if op.kind not in BOUNDS or len(known) < len(inputs):
        return None
    return interval(op, tuple(known))


def reach(op: Op, inputs: tuple[Edge, ...]) -> float:
    """Largest magnitude of a sum of some of the terms that the op sums up, in any order."""
    # With zero among what each input may be, every partial sum is a sum.
    with_zero = tuple(
        Edge(edge.dtype, Interval(edge.bounds.low.clamp(max=0), edge.bounds.high.clamp(min=0)))
        for edge in inputs
        if edge.bounds is not None
    )
    return Edge(
        torch.float64, bounds_of(op, with_zero if len(with_zero) == len(inputs) else inputs)
    ).largest


def merged(x: Tensor) -> Tensor:
    """`[T, B, ...]` as `[T B, ...]`."""
    return x.flatten(0, 1)


def split(y: Tensor, like: Tensor) -> Tensor:
    """`[T B, ...]` as `[T, B, ...]`."""
    return y.reshape(*like.shape[:2], *y.shape[1:])


def number(value: float) -> str:
    """For tables: whole, with separators."""
    return "unknown" if value == torch.inf else f"{value:,.0f}"
