"""Where the labels of points go: beside their points, over neither points nor other labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, pi, sin

import numpy as np
from numpy.typing import NDArray

Size = tuple[float, float]
Floats = NDArray[np.float64]

_DISTANCES = (3.5, 6.0, 9.0, 13.0, 18.0, 24.0, 32.0, 42.0, 54.0)
_DIRECTIONS = 16
_START = 2
"""Of the directions the upper right, where a reader looks for a label."""
_GAP = 1.2
"""Points of paper around a label."""


@dataclass(frozen=True)
class Box:
    """A rectangle on paper, in points."""

    left: float
    bottom: float
    right: float
    top: float


def offsets(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[Size],
    area: Box,
    taken: Sequence[Box] = (),
) -> list[tuple[float, float]]:
    """From each point to the centre of its label, in points.

    Greedy: a label takes the place nearest to its point that nothing covers, crowded points first;
    where none is free, the one that covers least.

    Args:
        points: positions on the paper, in points.
        sizes: width and height of each label.
        area: that labels stay in.
        taken: what no label may cover.
    """
    at, half = np.array(points, float).reshape(-1, 2), np.array(sizes, float).reshape(-1, 2) / 2
    moves = _moves()
    covered = np.array([(b.left, b.bottom, b.right, b.top) for b in taken], float).reshape(-1, 4)
    found: dict[int, Floats] = {}
    for place in _crowded_first(at):
        centres = _centres(half[place], moves)
        boxes = _boxes(at[place] + centres, half[place] + _GAP)
        cost = _overlap(boxes, covered).sum(axis=1) + _outside(boxes, area)
        best = int(np.argmin(cost))
        found[place] = centres[best]
        covered = np.vstack([covered, boxes[best]])
    return [(float(found[place][0]), float(found[place][1])) for place in range(len(at))]


def _moves() -> Floats:
    """Distance and direction of the places that are tried, nearest first."""
    turns = [2 * pi * (_START + turn) / _DIRECTIONS for turn in range(_DIRECTIONS)]
    return np.array([(d, cos(turn), sin(turn)) for d in _DISTANCES for turn in turns])


def _centres(half: Floats, moves: Floats) -> Floats:
    """Of a label whose border is so far from its point: wide ones stand further to the sides."""
    distance, across, up = moves.T
    return np.stack([(distance + half[0]) * across, (distance + half[1]) * up], axis=1)


def _crowded_first(at: Floats) -> list[int]:
    far = np.linalg.norm(at[:, None] - at[None], axis=2)
    near = (far < _DISTANCES[-1]).sum(axis=1)
    return [int(place) for place in np.argsort(-near, kind="stable")]


def _boxes(centres: Floats, half: Floats) -> Floats:
    return np.hstack([centres - half, centres + half])


def _overlap(boxes: Floats, others: Floats) -> Floats:
    """Area that each two share."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray(np.clip(high - low, 0, None).prod(axis=2))


def _outside(boxes: Floats, area: Box) -> Floats:
    """Area of each that is not in this one."""
    whole = np.array([[area.left, area.bottom, area.right, area.top]])
    sizes: Floats = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    return sizes - _overlap(boxes, whole)[:, 0]
