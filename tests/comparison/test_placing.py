"""Labels beside points, by geometry alone."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.comparison.placing import Box, offsets

AREA = Box(0, 0, 400, 300)
SIZE = (9.0, 5.0)


def boxes(points: list[tuple[float, float]], taken: list[Box] = []) -> list[Box]:  # noqa: B006
    moves = offsets(points, [SIZE] * len(points), AREA, taken)
    return [
        Box(x + dx - 4.5, y + dy - 2.5, x + dx + 4.5, y + dy + 2.5)
        for (x, y), (dx, dy) in zip(points, moves, strict=True)
    ]


def share(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    return across > 0 and min(one.top, other.top) > max(one.bottom, other.bottom)


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 300)), max_size=20))
@settings(max_examples=50, deadline=None)
def test_labels_share_no_place_and_stay_inside(points: list[tuple[float, float]]) -> None:
    found = boxes(points)
    assert not [pair for pair in combinations(found, 2) if share(*pair)]
    for box in found:
        assert box.left >= 0
        assert box.bottom >= 0
        assert box.right <= AREA.right
        assert box.top <= AREA.top


def test_one_label_stands_to_the_upper_right() -> None:
    ((dx, dy),) = offsets([(200, 150)], [SIZE], AREA)
    assert (dx, dy) == pytest.approx(((3.5 + 4.5) / 2**0.5, (3.5 + 2.5) / 2**0.5))


def test_what_is_taken_stays_free() -> None:
    taken = [Box(190, 145, 400, 155), Box(195, 150, 205, 300)]
    (box,) = boxes([(200, 150)], taken)
    assert not any(share(box, each) for each in taken)


def test_where_no_place_is_free_the_least_is_covered() -> None:
    full = [Box(0, 0, 400, 300), Box(0, 0, 400, 200)]
    (box,) = boxes([(200, 190)], full)
    assert box.bottom >= 200


def test_nothing_needs_no_place() -> None:
    assert offsets([], [], AREA) == []
