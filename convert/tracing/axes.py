"""Which part of which tensor axis is time, batch or feature, through every view of the model.

Each axis of a tensor is a product of atoms, major to minor: after `flatten(0, 1)` on
`[T, B, C, H, W]` the first axis is `(T, B)`. Views only regroup, split or reorder atoms, so time
and batch stay known wherever the model moves them, and a view that tears them apart is seen.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Atom:
    """An indivisible factor of an axis.

    Attributes:
        size: number of positions. Batch and time atoms that the model leaves open carry a large
            prime instead, so that they cannot be confused with any feature size.
        name: identity of an atom that may be time or batch ("input:0", "repeat:expand:0"); "" for
            features, which need none since they are told apart by position.
    """

    size: int
    name: str = ""


Axis = tuple[Atom, ...]
Axes = tuple[Axis, ...]


class AxisError(ValueError):
    """A view that tears an atom apart, or an op that meets time or batch where it must not.

    Args:
        fix: what the user can do, if that is not to keep time and batch apart from features.
    """

    def __init__(self, why: str, *, fix: str = "") -> None:
        super().__init__(why)
        self.fix = fix


def axis_of(size: int) -> Axis:
    """A feature axis."""
    return () if size == 1 else (Atom(size),)


def sizes(axes: Axes) -> tuple[int, ...]:
    return tuple(math.prod(atom.size for atom in axis) for axis in axes)


def regroup(axes: Axes, shape: Sequence[int]) -> Axes:
    """The axes after a reshape to `shape`.

    Raises:
        AxisError: the reshape splits time or batch, or merges parts of different axes.
    """
    pool = deque(atom for axis in axes for atom in axis)
    result = []
    for size in shape:
        axis: list[Atom] = []
        need = size
        while need > 1:
            if not pool:
                raise AxisError(f"cannot view {list(sizes(axes))} as {list(shape)}")
            atom = pool.popleft()
            if need % atom.size == 0:
                axis.append(atom)
                need //= atom.size
            elif atom.size % need == 0 and not atom.name:
                axis.append(Atom(need))
                pool.appendleft(Atom(atom.size // need))
                need = 1
            else:
                raise AxisError(f"viewing {list(sizes(axes))} as {list(shape)} tears an axis apart")
        result.append(tuple(axis))
    return tuple(result)


@dataclass(frozen=True)
class Roles:
    """Names of the atoms that are time and batch; any other atom is a feature.

    A model that is one time step has no atom for time.
    """

    time: str | None = None
    batch: str | None = None

    def is_feature(self, atom: Atom) -> bool:
        return not atom.name or atom.name not in (self.time, self.batch)

    def feature_axes(self, axes: Axes) -> tuple[Axis, ...]:
        """The axes that the graph sees: without time and batch, and without axes made of these."""
        kept = []
        for axis in axes:
            rest = tuple(atom for atom in axis if self.is_feature(atom))
            if rest or not axis:
                kept.append(rest)
        return tuple(kept)

    def feature_shape(self, axes: Axes) -> tuple[int, ...]:
        return sizes(self.feature_axes(axes))

    def feature_index(self, axes: Axes, dim: int) -> int:
        """Position of tensor axis `dim` among the feature axes.

        Raises:
            AxisError: that axis is (partly) time or batch.
        """
        if any(not self.is_feature(atom) for atom in axes[dim]):
            raise AxisError(f"axis {dim} holds time or batch")
        return len(self.feature_axes(axes[:dim]))

    def require_outer_first(self, axes: Axes, features: int) -> None:
        """Check for layers that take `[N, *feature]`.

        Raises:
            AxisError: the first axis holds features or the others hold time or batch.
        """
        outer, inner = axes[: len(axes) - features], axes[len(axes) - features :]
        if any(self.is_feature(atom) for axis in outer for atom in axis):
            raise AxisError("features are merged into its batch axis")
        if any(not self.is_feature(atom) for axis in inner for atom in axis):
            raise AxisError("time or batch is merged into its feature axes")
