"""NIR files from strangers: damaged, hostile, or meaning nothing here."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

from spikeport.core.errors import (
    FileError,
    SpikeportError,
    UnknownNameError,
    UnsupportedError,
    UsageError,
)
from spikeport.targets.nir import read
from spikeport.targets.nir.reading import files


def network(node: nir.NIRNode | None = None, size: int = 4) -> nir.NIRGraph:
    node = node or nir.LIF(np.full(size, 2e-4), np.ones(size), np.zeros(size), np.ones(size))
    nodes = {"input": nir.Input(np.array([size])), "w": nir.Linear(np.ones((size, size))),
             "n": node, "output": nir.Output(np.array([size]))}  # fmt: skip
    return nir.NIRGraph(nodes, [("input", "w"), ("w", "n"), ("n", "output")], type_check=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    nir.write(tmp_path / "net.nir", network())
    assert len(read(tmp_path / "net.nir")) == 3
    return tmp_path / "net.nir"


def test_missing_foreign_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        read(tmp_path / "none.nir")
    for content in (b"", b"not HDF5", b"\x89HDF\r\n\x1a\n"):
        (tmp_path / "bad.nir").write_bytes(content)
        with pytest.raises(FileError, match="no NIR file"):
            read(tmp_path / "bad.nir")
    with h5py.File(tmp_path / "other.nir", "w") as file:
        file["values"] = np.zeros(3)
    with pytest.raises(FileError, match="holds no NIR graph"):
        read(tmp_path / "other.nir")
    nir.write(tmp_path / "one.nir", nir.Linear(np.ones((2, 2))))
    with pytest.raises(FileError, match="single node"):
        read(tmp_path / "one.nir")


def test_every_truncation_is_refused(path: Path) -> None:
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 997):
        with pytest.raises(FileError):
            read(content[:length])


def test_changed_bytes_never_surprise(path: Path) -> None:
    """Either an error of ours, or a graph: HDF5 does not hash its content."""
    content = path.read_bytes()
    random = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 4):
            damaged[place] ^= int(random.integers(1, 256))
        try:
            read(bytes(damaged))
        except SpikeportError:
            refused += 1
    assert refused > 10


def edited(path: Path, change: Callable[[Any], object]) -> Path:
    with h5py.File(path, "a") as file:
        change(file["node"])
    return path


def _replace(group: Any, name: str, value: Any, **options: Any) -> None:
    del group[name]
    group.create_dataset(name, data=value, **options)


def test_what_a_file_hides_is_seen_before_it_is_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bomb(node: Any) -> None:
        del node["nodes/w/weight"]
        node["nodes/w"].create_dataset(
            "weight", shape=(2**20, 2**20), dtype="f8", chunks=(1024, 1024), compression="gzip"
        )

    edited(path, bomb)
    assert path.stat().st_size < 100_000
    with pytest.raises(FileError, match="take more than"):
        read(path)
    monkeypatch.setattr(files, "NODES_LIMIT", 5)
    with pytest.raises(FileError, match="more than 5 entries"):
        read(path)


def test_texts_that_are_stored_once_and_named_often_are_not_all_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One text of 1,000 characters stands in 200,000 places."""
    monkeypatch.setattr(files, "TEXT_LIMIT", 2**16)

    def repeated(shape: tuple[int, ...]) -> Callable[[Any], None]:
        def change(node: Any) -> None:
            del node["edges"]
            node.create_dataset(
                "edges", shape, h5py.string_dtype(), chunks=shape, fillvalue="x" * 1000
            )

        return change

    edited(path, repeated((100_000, 2)))
    tracemalloc.start()
    with pytest.raises(FileError, match="'edges' holds more than 65,536 characters"):
        read(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()
    with pytest.raises(FileError, match="holds 100,000 texts in a row"):
        read(edited(path, repeated((2, 100_000))))


def test_nesting_without_end_is_refused(path: Path) -> None:
    with pytest.raises(FileError, match="nests more than"):
        read(edited(path, lambda node: node.create_group("metadata/" + "/".join("x" * 40))))


def test_links_and_other_files_are_refused(path: Path, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["weight"] = np.ones((4, 4))
    (tmp_path / "raw").write_bytes(np.ones((4, 4)).tobytes())

    def link(to: Any) -> Callable[[Any], None]:
        def change(node: Any) -> None:
            del node["nodes/w/weight"]
            node["nodes/w/weight"] = to

        return change

    for to in (
        h5py.ExternalLink(str(tmp_path / "secret.h5"), "weight"),
        h5py.SoftLink("/node/nodes/n/tau"),
    ):
        nir.write(path, network())
        with pytest.raises(FileError, match="is a link"):
            read(edited(path, link(to)))

    def external(node: Any) -> None:
        del node["nodes/w/weight"]
        node["nodes/w"].create_dataset(
            "weight", (4, 4), "f8", external=[(str(tmp_path / "raw"), 0, 128)]
        )

    nir.write(path, network())
    with pytest.raises(FileError, match="lies in another file"):
        read(edited(path, external))

    def virtual(node: Any) -> None:
        del node["nodes/w/weight"]
        layout = h5py.VirtualLayout((4, 4), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "weight", (4, 4))
        node["nodes/w"].create_virtual_dataset("weight", layout)

    nir.write(path, network())
    with pytest.raises(FileError, match="lies in another file"):
        read(edited(path, virtual))


def test_values_that_are_no_numbers_are_refused(path: Path) -> None:
    for value in (np.array([1 + 2j]), np.array([b"a"], dtype="V1"), h5py.Empty("f8")):
        nir.write(path, network())
        with pytest.raises(FileError):
            read(edited(path, lambda node, v=value: _replace(node["nodes/n"], "tau", v)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda node: _replace(node["nodes/n"], "tau", np.full(4, np.nan)), "not made of numbers"),
        (lambda node: _replace(node["nodes/n"], "tau", np.zeros(4)), "not positive"),
        (lambda node: _replace(node["nodes/n"], "tau", np.zeros(0)), "not made of numbers"),
        (lambda node: _replace(node["nodes/n"], "tau", "soon"), "not made of numbers"),
        (lambda node: _replace(node["nodes/n"], "r", np.arange(8.0).reshape(2, 4)), "has shape"),
        (lambda node: node["nodes/n"].pop("tau"), "'tau' is missing"),
        (lambda node: node["nodes/n"].pop("type"), "no type"),
        (lambda node: node["nodes/n"].create_dataset("noise", data=1.0), "no field 'noise'"),
        (lambda node: _replace(node["nodes/w"], "weight", np.ones(4)), "not 2 axes"),
        (lambda node: _replace(node["nodes/input"], "shape", np.array([-4])), "is none"),
        (lambda node: _replace(node["nodes/input"], "shape", np.array([2**62, 4])), "is none"),
        (lambda node: _replace(node, "edges", [["input", "x"]]), "'x', which is no node"),
        (lambda node: _replace(node, "edges", [["input", "w"]] * 2), "two edges"),
        (lambda node: _replace(node, "edges", [["w", "n"], ["n", "output"]]), "nothing leads to"),
        (lambda node: _replace(node, "edges", [["w", "n", "output"]]), "no pairs"),
        (lambda node: _replace(node, "edges", [["input", "w"], ["n", "input"]]), "leads to"),
        (lambda node: node.pop("nodes"), "no nodes"),
    ],
)
def test_nodes_and_edges_that_make_no_sense(path: Path, change: Any, why: str) -> None:
    with pytest.raises(FileError, match=why) as caught:
        read(edited(path, change))
    assert caught.value.where and caught.value.fix


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda node: _replace(node["nodes/n"], "type", "Izhikevich"), "type 'Izhikevich'"),
        (lambda node: _replace(node["nodes/w"], "weight", np.ones((2, 4, 4))), "each of several"),
        (lambda node: _replace(node["nodes/w"], "weight", np.ones((4, 5))), "cannot read"),
        (lambda node: _replace(node["nodes/n"], "tau", np.full(4, 5e-5)), "shorter than a time"),
    ],
)
def test_what_has_no_meaning_is_refused_by_name(path: Path, change: Any, why: str) -> None:
    with pytest.raises(UnsupportedError, match=why) as caught:
        read(edited(path, change))
    assert caught.value.where in ("n", "w") and caught.value.fix


@pytest.mark.parametrize("delay", [[1.5e-4] * 4, [1e-4, 1e-4, 2e-4, 1e-4], [-1e-4] * 4, [9.0] * 4])
def test_delays_that_are_no_steps(delay: list[float]) -> None:
    with pytest.raises(UnsupportedError, match="no whole number of steps"):
        read(network(nir.Delay(np.array(delay))))


def test_a_loop_that_nothing_enters() -> None:
    one = np.ones(4)
    nodes = {"input": nir.Input(np.array([4])), "a": nir.Scale(one), "b": nir.Scale(one),
             "output": nir.Output(np.array([4]))}  # fmt: skip
    edges = [("input", "output"), ("a", "b"), ("b", "a")]
    with pytest.raises(UnsupportedError, match="nothing enters this loop"):
        read(nir.NIRGraph(nodes, edges, type_check=False))


def test_junctions_that_split_and_join_again_and_again() -> None:
    """2^40 ways lead through them; delays of no step pass on what they read."""
    size = 2
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input(np.array([size]))}
    edges, before = [], "input"
    for number in range(40):
        ways = [f"{side}{number}" for side in "ab"]
        nodes |= {name: nir.Delay(np.zeros(size)) for name in (*ways, f"join{number}")}
        edges += [(before, name) for name in ways]
        before = f"join{number}"
        edges += [(name, before) for name in ways]
    nodes["output"] = nir.Output(np.array([size]))
    tree = nir.NIRGraph(nodes, [*edges, (before, "output")], type_check=False)
    with pytest.raises(FileError, match="reads one node twice"):
        read(tree)


def test_junctions_one_behind_the_other_and_in_a_loop() -> None:
    names = [f"d{number}" for number in range(1500)]
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input(np.array([2]))}
    nodes |= {name: nir.Delay(np.zeros(2)) for name in names}
    nodes["output"] = nir.Output(np.array([2]))
    edges = [*pairwise(["input", *names, "output"])]
    assert [node.name for node in read(nir.NIRGraph(nodes, edges, type_check=False))] == ["input"]
    with pytest.raises(UnsupportedError, match="no value") as refused:
        read(nir.NIRGraph(nodes, [*edges, ("d9", "d5")], type_check=False))
    assert refused.value.where in names[5:10]


def test_nested_graphs_with_several_inputs() -> None:
    shape = np.array([4])
    inner = nir.NIRGraph(
        {"a": nir.Input(shape), "b": nir.Input(shape), "output": nir.Output(shape)},
        [("a", "output"), ("b", "output")],
    )
    outer = nir.NIRGraph(
        {"input": nir.Input(shape), "inner": inner, "output": nir.Output(shape)},
        [("input", "inner"), ("inner", "output")],
        type_check=False,
    )
    with pytest.raises(UnsupportedError, match="2 nodes of type Input"):
        read(outer)


@pytest.mark.parametrize(
    "mark", ["{", "[]", '{"version": 2}', '{"dt": -1, "fires": "at"}', '{"dt": 1, "fires": "on"}']
)
def test_notes_of_spikeport_that_are_none(mark: str) -> None:
    marked = network()
    marked.metadata = {"spikeport": mark}
    with pytest.raises(FileError, match="what Spikeport noted"):
        read(marked)


def _extension(**content: Any) -> dict[str, Any]:
    return {"type": "spikeport.scale", "content": '{"inputs": [["w"]], "attributes": '
            '{"factor": 2.0, "divisor": 1.0}, "shapes": {}}', **content}  # fmt: skip


class _Foreign(nir.NIRGraph):
    """A graph whose node "n" is what a test says."""

    given: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        tree = super().to_dict()
        tree["nodes"]["n"], tree["type"] = self.given, "NIRGraph"
        return tree


def foreign(given: dict[str, Any]) -> nir.NIRGraph:
    plain = network()
    made = _Foreign(plain.nodes, plain.edges, type_check=False)
    made.given = given
    return made


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (_extension(type="spikeport.magic"), "kind 'magic'"),
        (_extension(content="{}"), "damaged"),
        (_extension(content='{"inputs": [["w"]], "attributes": {"factor": 2.0}, "shapes": {}}'),
         "needs"),
        (_extension(content='{"inputs": [["input"]], "attributes": {"factor": 2.0, "divisor": 1.0},'
                    '"shapes": {}}'), "not what its edges say"),
        (_extension(content='{"inputs": [["w"], ["w"]], "attributes": {"factor": 2.0, "divisor": '
                    '1.0}, "shapes": {}}'), "does not read 2 inputs"),
        (_extension(tensors={"x": np.ones(3)}), "not those that it names"),
        ({"type": "spikeport.delay", "content": '{"inputs": [], "attributes": {"source": "w", '
          '"shape": [4], "domain": "real"}, "shapes": {}}'}, "not what its edges say"),
    ],
)  # fmt: skip
def test_extensions_that_do_not_fit(given: dict[str, Any], why: str) -> None:
    assert len(read(foreign(_extension()))) == 3
    with pytest.raises(FileError, match=why):
        read(foreign(given))


def test_choices_that_cannot_be_meant(path: Path) -> None:
    with pytest.raises(UnknownNameError, match="way to fire"):
        read(path, fires="maybe")  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match="domain"):
        read(path, input_domain="imaginary")
    for dt in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(UsageError, match="time step"):
            read(path, dt=dt)


def test_what_graphs_cannot_call_their_nodes_is_refused() -> None:
    import nir_graphs

    from spikeport.convert.ops import IF
    from spikeport.targets.nir import lower

    with pytest.raises(UnsupportedError, match="HDF5"):
        lower(nir_graphs.chain([("a/b", IF(1.0, 0.0))], (3,)))
