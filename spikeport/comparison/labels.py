"""Labels of the points of a figure, with a line to the point where a label had to go far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot

from matplotlib.axes import Axes
from matplotlib.textpath import TextPath

from spikeport.comparison.placing import Box, Size, offsets

_NEAR = 9
"""Points from a point to the middle of its label beyond which a line leads there."""
_BAR = 1.0
_POINTS_PER_INCH = 72


@dataclass(frozen=True)
class Mark:
    """A point in coordinates of the data.

    Attributes:
        size: of its marker, in points of paper.
        across, up: what its error bars span.
    """

    label: str
    x: float
    y: float
    colour: str
    size: float
    across: tuple[float, float] | None = None
    up: tuple[float, float] | None = None


def write_labels(axes: Axes, marks: Sequence[Mark], size: float) -> None:
    """Write the label of each point beside it.

    The figure is laid out for that: all else has to be drawn before.

    Args:
        size: of the font, in points.
    """
    figure = axes.get_figure()
    assert figure is not None
    figure.draw_without_rendering()  # type: ignore[union-attr] # of the whole figure
    at = [_middle(_span(axes, (mark.x, mark.x), (mark.y, mark.y), 0)) for mark in marks]
    taken = [box for mark in marks for box in _taken(axes, mark)]
    frame = axes.bbox
    scale = _POINTS_PER_INCH / axes.figure.dpi
    area = Box(frame.x0 * scale, frame.y0 * scale, frame.x1 * scale, frame.y1 * scale)
    moves = offsets(at, [_extent(mark.label, size) for mark in marks], area, taken)
    for mark, move in zip(marks, moves, strict=True):
        line = {"arrowstyle": "-", "color": mark.colour, "linewidth": 0.4, "shrinkA": 0}
        written = axes.annotate(
            mark.label,
            (mark.x, mark.y),
            move,
            textcoords="offset points",
            fontsize=size,
            color=mark.colour,
            ha="center",
            va="center_baseline",
            arrowprops={**line, "shrinkB": mark.size / 2} if hypot(*move) > _NEAR else None,
        )
        # What stands inside the axes must not change their place.
        written.set_in_layout(False)


def _taken(axes: Axes, mark: Mark) -> list[Box]:
    dot = (mark.x, mark.x), (mark.y, mark.y)
    found = [_span(axes, *dot, mark.size / 2)]
    if mark.across is not None:
        found.append(_span(axes, mark.across, dot[1], _BAR))
    if mark.up is not None:
        found.append(_span(axes, dot[0], mark.up, _BAR))
    return found


def _span(axes: Axes, x: tuple[float, float], y: tuple[float, float], more: float) -> Box:
    """What a part of the data covers on paper, and so many points around it."""
    scale = _POINTS_PER_INCH / axes.figure.dpi
    (left, bottom), (right, top) = axes.transData.transform([*zip(x, y, strict=True)]) * scale
    return Box(left - more, bottom - more, right + more, top + more)


def _middle(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.bottom + box.top) / 2


def _extent(text: str, size: float) -> Size:
    """Width and height of a text, in points."""
    found = TextPath((0, 0), text, size=size).get_extents()
    return found.width, found.height
