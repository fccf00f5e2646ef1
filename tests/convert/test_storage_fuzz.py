"""Ten thousand files that went wrong: refused by the typed error, or the same graph; no crash."""

import resource
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from mutations import mutate, split

from spikeport.convert import Domain, Graph, ops
from spikeport.convert.storage import fingerprint
from spikeport.core.errors import FileError

QUICK, ALL = 300, 10_000
ROOM = 1 << 30
"""Bytes of address space that reading a file of a few kilobytes may take."""


def network() -> Graph:
    """One of most kinds of op, with every kind of field."""
    graph = Graph(outputs=("head",), metadata={"source": {"model": "x"}, "time_axis": 0})
    graph.add("x", ops.Input((2, 4, 4), Domain.GRADED, True))
    weight, bias = torch.rand(4, 2, 3, 3), torch.rand(4).double()
    graph.add("conv", ops.Conv(weight, bias, (1, 1), (1, 1), (1, 1)), ["x"], path="net.conv")
    norm = ops.BatchNorm(torch.zeros(4), torch.ones(4), None, torch.ones(4), 1e-5)
    graph.add("norm", norm, ["conv"], path="net.norm")
    graph.add("lif", ops.LIF(2.0, True, 1.0, None), ["norm"])
    graph.add("pool", ops.MaxPool((2, 2), (2, 2), (0, 0)), ["lif"])
    graph.add("back", ops.Delay("plif", (4, 2, 2), Domain.SPIKE))
    graph.add("sum", ops.Add(), ["pool", "back"])
    graph.add("plif", ops.ParametricLIF(torch.zeros(()), False, 0.5, 0.0), ["sum"])
    graph.add("flat", ops.Reshape((4, 4)), ["plif"])
    graph.add("turned", ops.Permute((1, 0)), ["flat"])
    graph.add("both", ops.MatMul(), ["flat", "turned"])
    graph.add("scale", ops.Scale(0.125), ["both"])
    graph.add("mean", ops.Mean((0,), keep=False), ["scale"])
    graph.add("time", ops.MeanTime(), ["mean"])
    graph.add("head", ops.Linear(torch.rand(3, 4), None), ["time"])
    return graph


@pytest.fixture
def little_room() -> Iterator[None]:
    """Allocations beyond `ROOM` fail as MemoryError, so that none can go unnoticed."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def load(target: Path, what: str) -> tuple[Graph, str]:
    """The graph, or the text of the typed error; anything else fails the test."""
    try:
        return Graph.load(target), ""
    except FileError as error:
        return Graph(), str(error)
    except BaseException as error:  # a panic of the Rust library is no Exception
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error


def try_all(folder: Path, seeds: range) -> Counter[str]:
    """Load every mutation; returns how often it was refused and accepted."""
    target = folder / "g.spg"
    network().save(target)
    data, same = target.read_bytes(), fingerprint(Graph.load(target))
    seen: Counter[str] = Counter()
    for seed in seeds:
        what, changed = mutate(data, seed)
        target.write_bytes(changed)
        graph, refusal = load(target, what)
        if refusal:
            assert str(target) in refusal and len(refusal) < 2000, what
            seen["refused"] += 1
            continue
        # What is accepted is a graph that says what the file says: it can be stored again.
        graph.save(folder / "again.spg")
        assert fingerprint(Graph.load(folder / "again.spg")) == fingerprint(graph), what
        seen["same" if fingerprint(graph) == same else "another graph"] += 1
        if not what.startswith("content"):
            # Nobody who does not recompute the hash can change what is computed.
            assert fingerprint(graph) == same, what
    return seen


def test_300_mutations(tmp_path: Path, little_room: None) -> None:
    seen = try_all(tmp_path, range(QUICK))
    assert seen["refused"] > 0.8 * QUICK, seen
    # The mutations are subtle enough: some leave a graph that is in order.
    assert seen["same"] + seen["another graph"] > 0, seen


@pytest.mark.slow
def test_10000_mutations(tmp_path: Path, little_room: None) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seen = try_all(tmp_path, range(QUICK, ALL))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert seen["refused"] > 0.8 * (ALL - QUICK), seen
    assert grown < ROOM / 4, f"{grown:,} bytes more at the peak"


def test_mutations_are_the_same_for_a_seed(tmp_path: Path) -> None:
    network().save(tmp_path / "g.spg")
    data = (tmp_path / "g.spg").read_bytes()
    assert [mutate(data, seed) for seed in range(50)] == [mutate(data, seed) for seed in range(50)]
    assert set(split(data)[0]["__metadata__"]) == {"format", "version", "graph", "sha256"}
