"""Graph files: everything comes back. What is refused is in tests/failcases."""

import math
from pathlib import Path

import pytest
from graph_files import store_small_graph
from safetensors import safe_open
from safetensors.torch import load_file, save_file

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


def test_a_graph_saved_again_is_the_same_file(stored: Path, tmp_path: Path) -> None:
    """Whoever tells files by their hash must not take it for another one."""
    files = [tmp_path / f"again{index}.spg" for index in range(8)]
    for file in files:
        Graph.load(stored).save(file)
    assert {file.read_bytes() for file in files} == {stored.read_bytes()}


def test_metadata_in_any_order_are_read(stored: Path, tmp_path: Path) -> None:
    """As files of before have them."""
    tensors, metadata = load_file(stored), dict(safe_open(stored, "pt").metadata())
    for index in range(8):
        save_file(tensors, tmp_path / f"{index}.spg", metadata)
        assert fingerprint(Graph.load(tmp_path / f"{index}.spg")) == fingerprint(Graph.load(stored))


def test_infinite_values_come_back(tmp_path: Path) -> None:
    """A neuron that never fires, as read-outs use it."""
    graph = Graph(outputs=("lif",))
    graph.add("x", ops.Input((2,), Domain.REAL, True))
    graph.add("lif", ops.LIF(2.0, True, math.inf, -math.inf), ["x"])
    graph.save(tmp_path / "g.spg")
    op = Graph.load(tmp_path / "g.spg")["lif"].op
    assert (op.v_threshold, op.v_reset) == (math.inf, -math.inf)  # type: ignore[attr-defined]
