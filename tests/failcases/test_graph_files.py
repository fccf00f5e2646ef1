"""Graph files that are damaged, foreign, unknown or of another version: refused, by name."""

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from graph_files import opened, rewrite, store_small_graph
from safetensors.torch import save_file

from spikeport.convert import Domain, Graph, ops
from spikeport.convert.storage import digest
from spikeport.core.errors import FileError, UsageError

LIF = {"tau": 2.0, "decay_input": True, "v_threshold": 1.0, "v_reset": None}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    return store_small_graph(tmp_path)


@pytest.mark.parametrize("version", ["3", "1", "2.0", "", "x"])
def test_another_format_version_is_refused(stored: Path, version: str) -> None:
    """Readers that take a file of a future version, and guess, are wrong without a word."""
    rewrite(stored, lambda *_: None, version=version)
    with pytest.raises(FileError, match=f"format version '{version}'; this .* reads version 2"):
        Graph.load(stored)


def test_a_file_of_a_future_version_asks_for_a_newer_spikeport(stored: Path) -> None:
    rewrite(stored, lambda content, _: content.update(new_part={}), version="3")
    with pytest.raises(FileError, match="newer Spikeport"):
        Graph.load(stored)


def test_other_conventions_are_refused_by_name(stored: Path) -> None:
    rewrite(stored, lambda content, _: content["conventions"].update(layout="channels last"))
    with pytest.raises(FileError, match="other conventions: 'layout'"):
        Graph.load(stored)


@pytest.mark.parametrize("axes", [[-1], [0, 0], [2, -2]])
def test_a_sum_over_other_axes_than_those_of_features(tmp_path: Path, axes: list[int]) -> None:
    """Axis -1 of the features would be the batch."""
    graph = Graph(outputs=("sum",))
    graph.add("x", ops.Input((2, 3, 4), Domain.SPIKE, True))
    graph.add("sum", ops.Sum((0,)), ["x"])
    graph.save(tmp_path / "g.spg")

    def change(content: Any, _: Any) -> None:
        content["nodes"][1]["attributes"]["axes"] = axes
        content["nodes"][1]["shape"] = [2, 3, 4]

    rewrite(tmp_path / "g.spg", change)
    with pytest.raises(FileError, match="cannot run over axes"):
        Graph.load(tmp_path / "g.spg")


def test_only_spg_files_are_written(tmp_path: Path) -> None:
    """Commands know a graph by its suffix: under another name it would be lost to them."""
    with pytest.raises(UsageError, match=r"'a\.spg'"):
        Graph().save(tmp_path / "a.txt")
    assert not list(tmp_path.iterdir())


def test_what_json_cannot_hold_is_refused(tmp_path: Path) -> None:
    graph = Graph(outputs=("x",), metadata={"model": object()})
    graph.add("x", ops.Input((2,), Domain.SPIKE, True))
    with pytest.raises(FileError, match="cannot be stored"):
        graph.save(tmp_path / "g.spg")


def test_one_changed_weight_is_noticed(stored: Path) -> None:
    """A bit that flips in a weight leaves a file that is well-formed."""
    content = bytearray(stored.read_bytes())
    content[-3] ^= 1
    stored.write_bytes(content)
    with pytest.raises(FileError, match="not what was written"):
        Graph.load(stored)


def test_weights_are_no_graph(tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(FileError, match="holds no graph"):
        Graph.load(tmp_path / "w.safetensors")


def test_an_unknown_op_is_refused_by_name(stored: Path) -> None:
    def change(content: Any, _: Any) -> None:
        content["nodes"][2]["kind"] = "izhikevich"

    rewrite(stored, change)
    with pytest.raises(FileError, match="kind 'izhikevich', which this Spikeport does not know"):
        Graph.load(stored)


@pytest.mark.parametrize(
    ("where", "key", "value"),
    [
        (1, "inputs", ["nowhere"]),
        (1, "inputs", []),
        (1, "inputs", ["lif"]),
        (1, "shape", [3, 9, 9]),
        (1, "domain", "spike"),
        (1, "attributes", {"stride": [1, 1]}),
        (2, "attributes", {"tau": 2.0, "decay_input": True, "v_threshold": 1.0, "evil": 1}),
        (2, "per_step", False),
        (1, "attributes", {"stride": [0, 0], "padding": [1, 1], "dilation": [1, 1], "groups": 1}),
        (2, "attributes", {**LIF, "tau": "slow"}),
        (2, "attributes", {**LIF, "tau": 0.0}),
        (2, "attributes", {**LIF, "v_threshold": None}),
        (2, "attributes", {**LIF, "v_threshold": [1.0]}),
        (2, "attributes", {**LIF, "tau": "2.0"}),
        (2, "attributes", {**LIF, "decay_input": 1}),
        (2, "attributes", {**LIF, "decay_input": None}),
        (2, "shape", [3, 4, -4]),
        (2, "shape", [3, 4, 2**50]),
        (2, "shape", [2**39, 2**39]),
        (2, "shape", [1] * 17),
        (2, "shape", ["3", 4, 4]),
        (2, "tensors", {"tau": {"dtype": "float32", "shape": []}}),
        (2, "path", None),
        (2, "more", 1),
        (0, "name", "conv"),
    ],
)
def test_an_inconsistent_graph_is_refused(stored: Path, where: int, key: str, value: Any) -> None:
    def change(content: Any, _: Any) -> None:
        content["nodes"][where][key] = value

    rewrite(stored, change)
    with pytest.raises(FileError, match="this graph is damaged"):
        Graph.load(stored)


def test_a_missing_tensor_is_refused(stored: Path) -> None:
    rewrite(stored, lambda _, tensors: tensors.clear())
    with pytest.raises(FileError, match="weights are missing: 'conv/weight'"):
        Graph.load(stored)


def test_a_spare_tensor_is_refused(stored: Path) -> None:
    rewrite(stored, lambda _, tensors: tensors.update(extra=torch.ones(2)))
    with pytest.raises(FileError, match="no node reads: 'extra'"):
        Graph.load(stored)


@pytest.mark.parametrize(
    "other", [torch.rand(2, 2, 3, 3), torch.rand(3, 2, 3, 3).double(), torch.rand(54)]
)
def test_a_tensor_of_another_shape_or_type_is_refused(stored: Path, other: torch.Tensor) -> None:
    rewrite(stored, lambda _, tensors: tensors.update({"conv/weight": other}))
    with pytest.raises(FileError, match="'conv/weight' holds"):
        Graph.load(stored)


def test_a_cycle_without_delay_is_refused(stored: Path) -> None:
    rewrite(stored, lambda content, _: content["nodes"][1].update(inputs=["lif"]))
    with pytest.raises(FileError, match="cycle without delay: conv -> lif -> conv"):
        Graph.load(stored)


def test_an_edge_from_nowhere_is_refused_by_name(stored: Path) -> None:
    rewrite(stored, lambda content, _: content["nodes"][2].update(inputs=["gone"]))
    with pytest.raises(FileError, match="'lif' reads 'gone', which does not exist"):
        Graph.load(stored)


def test_two_entries_of_one_name_are_refused(stored: Path) -> None:
    header, tensors = opened(stored)
    text = header["graph"].replace('"name":"conv"', '"name":"cone","name":"conv"')
    save_file(tensors, stored, {**header, "graph": text, "sha256": digest(text, tensors)})
    with pytest.raises(FileError, match="'name' twice"):
        Graph.load(stored)


def test_thousands_of_entries_of_one_name_are_refused_at_once(stored: Path) -> None:
    header, tensors = opened(stored)
    many = ",".join(f'"k{number}":0' for number in range(5_000))
    text = header["graph"].replace('"note":', f'{many},"k0":1,"note":')
    save_file(tensors, stored, {**header, "graph": text, "sha256": digest(text, tensors)})
    began = time.process_time()
    with pytest.raises(FileError, match="'k0' twice"):
        Graph.load(stored)
    assert time.process_time() - began < 0.5


def test_a_spare_entry_is_refused(stored: Path) -> None:
    rewrite(stored, lambda *_: None, extra="1")
    with pytest.raises(FileError, match="'extra'"):
        Graph.load(stored)


def test_outputs_that_are_no_nodes_are_refused(stored: Path) -> None:
    rewrite(stored, lambda content, _: content.update(outputs=["gone"]))
    with pytest.raises(FileError, match="outputs"):
        Graph.load(stored)


@pytest.mark.parametrize("keep", [0, 5, 60, 400])
def test_a_truncated_graph_is_refused(stored: Path, keep: int) -> None:
    stored.write_bytes(stored.read_bytes()[:keep])
    with pytest.raises(FileError, match="truncated or not a safetensors file"):
        Graph.load(stored)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"source": "gone"}, "shows 'gone', which is not in the graph"),
        ({"source": "x"}, "its source is"),
        ({"domain": "graded"}, "inconsistent|has domain"),
        ({"shape": [3, 4, 5]}, "cannot read|has shape|its source is"),
    ],
)
def test_a_delay_that_cannot_show_its_source_is_refused(
    tmp_path: Path, change: dict[str, Any], why: str
) -> None:
    graph = Graph(outputs=("sum",))
    graph.add("x", ops.Input((2, 4, 4), Domain.SPIKE, True))
    graph.add("back", ops.Delay("lif", (3, 4, 4), Domain.SPIKE))
    graph.add("conv", ops.Conv(torch.ones(3, 2, 1, 1), None, (1, 1), (0, 0), (1, 1)), ["x"])
    graph.add("sum", ops.Add(), ["conv", "back"])
    graph.add("lif", ops.IF(1.0, 0.0), ["sum"])
    graph.save(tmp_path / "g.spg")
    assert len(Graph.load(tmp_path / "g.spg")) == 5
    rewrite(tmp_path / "g.spg", lambda g, _: g["nodes"][1]["attributes"].update(change))
    with pytest.raises(FileError, match=why):
        Graph.load(tmp_path / "g.spg")
