"""Graph files: what is damaged, foreign or unknown is refused; nothing loaded runs code."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from spikeport.convert import load_graph, ops, save_graph
from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.core.errors import FileError

LIF = {"tau": 2.0, "decay_input": True, "v_threshold": 1.0, "v_reset": None}


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    graph = Graph(outputs=("lif",), metadata={"note": "kept"})
    graph.add("x", ops.Input((2, 4, 4), Domain.GRADED, True))
    graph.add(
        "conv",
        ops.Conv(torch.rand(3, 2, 3, 3), None, (1, 1), (1, 1), (1, 1)),
        ["x"],
        path="net.conv",
    )
    graph.add("lif", ops.LIF(2.0, True, 1.0, None), ["conv"])
    save_graph(graph, tmp_path / "g.spg")
    return tmp_path / "g.spg"


def rewrite(path: Path, change: Any, **metadata: str) -> None:
    """Store the file again with its JSON changed."""
    with safe_open(path, framework="pt") as reader:
        header = dict(reader.metadata())
        tensors = {name: reader.get_tensor(name) for name in reader.keys()}  # noqa: SIM118
    content = json.loads(header["graph"])
    change(content, tensors)
    save_file(tensors, path, {**header, "graph": json.dumps(content), **metadata})


def test_everything_comes_back(stored: Path) -> None:
    graph = load_graph(stored)
    assert graph.metadata == {"note": "kept"}
    assert graph["conv"].path == "net.conv"
    assert graph["lif"].op.v_reset is None  # type: ignore[attr-defined]
    assert graph.input.domain is Domain.GRADED


def test_another_format_version_is_refused(stored: Path) -> None:
    rewrite(stored, lambda *_: None, version="2")
    with pytest.raises(FileError, match="format version 2; this Spikeport reads version 1"):
        load_graph(stored)


def test_weights_are_no_graph(tmp_path: Path) -> None:
    save_file({"w": torch.ones(1)}, tmp_path / "w.safetensors")
    with pytest.raises(FileError, match="holds no graph"):
        load_graph(tmp_path / "w.safetensors")


def test_an_unknown_op_is_refused_by_name(stored: Path) -> None:
    def change(content: Any, _: Any) -> None:
        content["nodes"][2]["kind"] = "izhikevich"

    rewrite(stored, change)
    with pytest.raises(FileError, match="kind 'izhikevich', which this Spikeport does not know"):
        load_graph(stored)


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
        (0, "name", "conv"),
    ],
)
def test_an_inconsistent_graph_is_refused(stored: Path, where: int, key: str, value: Any) -> None:
    def change(content: Any, _: Any) -> None:
        content["nodes"][where][key] = value

    rewrite(stored, change)
    with pytest.raises(FileError, match="this graph is damaged"):
        load_graph(stored)


def test_a_missing_tensor_is_refused(stored: Path) -> None:
    rewrite(stored, lambda _, tensors: tensors.clear())
    with pytest.raises(FileError, match="damaged"):
        load_graph(stored)


def test_outputs_that_are_no_nodes_are_refused(stored: Path) -> None:
    rewrite(stored, lambda content, _: content.update(outputs=["gone"]))
    with pytest.raises(FileError, match="outputs"):
        load_graph(stored)


@pytest.mark.parametrize("keep", [0, 5, 60, 400])
def test_a_truncated_graph_is_refused(stored: Path, keep: int) -> None:
    stored.write_bytes(stored.read_bytes()[:keep])
    with pytest.raises(FileError, match="truncated or not a safetensors file"):
        load_graph(stored)


def test_infinite_values_come_back(tmp_path: Path) -> None:
    """A neuron that never fires, as read-outs use it."""
    graph = Graph(outputs=("lif",))
    graph.add("x", ops.Input((2,), Domain.REAL, True))
    graph.add("lif", ops.LIF(2.0, True, math.inf, -math.inf), ["x"])
    save_graph(graph, tmp_path / "g.spg")
    op = load_graph(tmp_path / "g.spg")["lif"].op
    assert (op.v_threshold, op.v_reset) == (math.inf, -math.inf)  # type: ignore[attr-defined]
