"""Which rows are dominated: another is at least as accurate for no more energy."""

from __future__ import annotations

from collections.abc import Sequence

from spikeport.comparison.rows import Row


def in_figure(rows: Sequence[Row]) -> list[int]:
    """Places of rows that stand on the same axes: accuracy and energy known, the energy model and
    the data of the first such row."""
    places = [i for i, row in enumerate(rows) if row.right is not None and row.energy is not None]
    return [i for i in places if _axes(rows[i]) == _axes(rows[places[0]])]


def front(rows: Sequence[Row]) -> frozenset[int]:
    """Places of rows that no other row of the figure dominates, by their means."""
    places = in_figure(rows)
    points = {i: _point(rows[i]) for i in places}
    return frozenset(
        i for i in places if not any(_dominates(points[j], points[i]) for j in places if j != i)
    )


def _axes(row: Row) -> tuple[str, str]:
    assert row.energy is not None
    # Rows of unknown data are comparable with those of the same file alone.
    return row.energy.model, row.data or str(row.source)


def _point(row: Row) -> tuple[float, float]:
    assert row.right is not None and row.energy is not None
    return row.right.value, row.energy.mean


def _dominates(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] >= other[0] and one[1] <= other[1]
