"""Graph files: everything comes back. What is refused is in tests/failcases."""

import math
from pathlib import Path

import pytest
from graph_files import store_small_graph

from spikeport.convert import Domain, Graph, ops
from spikeport.convert.storage import fingerprint


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return store_small_graph(tmp_path)


def test_everything_comes_back(stored: Path) -> None:
    graph = Graph.load(stored)
    assert graph.metadata == {"note": "kept"}
    assert graph["conv"].path == "net.conv"
    assert graph["lif"].op.v_reset is None  # type: ignore[attr-defined]
    assert graph.input.domain is Domain.GRADED


def test_the_fingerprint_is_of_what_is_computed(stored: Path) -> None:
    graph = Graph.load(stored)
    before = fingerprint(graph)
    graph.metadata["note"] = "other"
    assert fingerprint(graph) == before == fingerprint(Graph.load(stored))
    graph["conv"].op.weight[0, 0, 0, 0] += 1e-6  # type: ignore[attr-defined]
    assert fingerprint(graph) != before


def test_infinite_values_come_back(tmp_path: Path) -> None:
    """A neuron that never fires, as read-outs use it."""
    graph = Graph(outputs=("lif",))
    graph.add("x", ops.Input((2,), Domain.REAL, True))
    graph.add("lif", ops.LIF(2.0, True, math.inf, -math.inf), ["x"])
    graph.save(tmp_path / "g.spg")
    op = Graph.load(tmp_path / "g.spg")["lif"].op
    assert (op.v_threshold, op.v_reset) == (math.inf, -math.inf)  # type: ignore[attr-defined]
