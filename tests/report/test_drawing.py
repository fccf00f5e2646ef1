"""Positions of nodes and edges, with Graphviz and without."""

from __future__ import annotations

import shutil
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikeport.report import drawing
from spikeport.report.drawing import Drawing, draw

SIZES = {name: (100.0 + 10 * i, 30.0 + 5 * i) for i, name in enumerate("abcdef")}
EDGES = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e"), ("a", "e"), ("e", "f")]


def overlapping(picture: Drawing, sizes: dict[str, tuple[float, float]]) -> list[tuple[str, str]]:
    def apart(a: str, b: str, axis: int) -> bool:
        gap = abs(picture.centres[a][axis] - picture.centres[b][axis])
        return gap >= (sizes[a][axis] + sizes[b][axis]) / 2 - 0.5

    return [(a, b) for a, b in combinations(sizes, 2) if not apart(a, b, 0) and not apart(a, b, 1)]


@pytest.fixture(params=["graphviz", "layered"])
def layout_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "layered":
        monkeypatch.setattr(drawing.shutil, "which", lambda name: None)
    elif shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed (make system-deps)")
    return str(request.param)


def test_nodes_lie_apart_and_readers_below(layout_by: str) -> None:
    picture = draw(SIZES, EDGES)
    assert not overlapping(picture, SIZES)
    assert set(picture.routes) == set(EDGES)
    for source, reader in EDGES:
        assert picture.centres[source][1] < picture.centres[reader][1]
    for x, y in picture.centres.values():
        assert 0 < x < picture.width and 0 < y < picture.height


def test_edges_run_from_border_to_border(layout_by: str) -> None:
    picture = draw(SIZES, EDGES)
    for (source, reader), points in picture.routes.items():
        assert len(points) % 3 == 1
        for name, (x, y) in ((source, points[0]), (reader, points[-1])):
            across, down = SIZES[name]
            assert abs(x - picture.centres[name][0]) <= across / 2 + 2
            assert abs(y - picture.centres[name][1]) <= down / 2 + 2


def test_feedback_is_drawn_too(layout_by: str) -> None:
    assert ("f", "b") in draw(SIZES, EDGES, [("f", "b")]).routes


def test_a_graphviz_that_fails_is_done_without(monkeypatch, tmp_path) -> None:
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho nonsense\n")
    broken.chmod(0o755)
    monkeypatch.setattr(drawing.shutil, "which", lambda name: str(broken))
    assert set(draw(SIZES, EDGES).routes) == set(EDGES)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=20))
def test_any_graph_is_laid_out_without_overlap(pairs: list[tuple[int, int]]) -> None:
    sizes = {str(i): (90.0 + 7 * i, 30.0 + 4 * i) for i in range(9)}
    edges = [(str(min(pair)), str(max(pair))) for pair in pairs if pair[0] != pair[1]]
    picture = drawing._layered(sizes, edges, [])
    assert not overlapping(picture, sizes)
    assert set(picture.routes) == set(edges)
