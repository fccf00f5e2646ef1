"""*.nir files as MODEL, and networks lowered to NIR."""

from __future__ import annotations

from pathlib import Path

import nir
import nir_graphs
import numpy as np
import pytest
import torch

from spikeport.convert import Graph
from spikeport.convert.ops import AvgPool, Conv, Linear, MeanTime, Reshape
from spikeport.targets.nir import lower


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolutional network for 32 x 32 events, as `.spg`, and the folder of it in NIR."""
    random = nir_graphs.random
    layers = [
        ("conv", Conv(random(0, 4, 2, 3, 3), random(1, 4), (2, 2), (1, 1), (1, 1))),
        ("first", nir_graphs.NEURONS["lif"]),
        ("pool", AvgPool((4, 4), (4, 4), (0, 0), True)),
        ("flat", Reshape((64,))),
        ("fc", Linear(random(2, 10, 64), None)),
        ("second", nir_graphs.NEURONS["if"]),
        ("time", MeanTime()),
    ]
    folder = tmp_path_factory.mktemp("nir")
    graph = nir_graphs.chain(layers, (2, 32, 32), "graded")
    graph.save(folder / "net.spg")
    lower(graph).save(folder)
    return folder


def test_a_nir_file_is_checked_shown_and_traced(cli, stored: Path, tmp_path: Path) -> None:
    done = cli("check", stored / "model.nir", "--target", "nir,onnx", "--json")
    assert done.code == 0 and [each["ok"] for each in done.json["targets"]] == [True, True]
    shown = cli("show", stored / "model.nir", "--json").json
    assert [layer["op"] for layer in shown["layers"]][:3] == ["input", "conv", "lif"]
    assert shown["certificate"] is None
    done = cli("trace", stored / "model.nir", "-o", tmp_path / "net.spg")
    assert done.code == 0 and "No certificate" in done.out
    assert Graph.load(tmp_path / "net.spg")["first"].path == "net.first"


def test_counts_of_a_nir_file_are_those_of_its_graph(cli, stored: Path) -> None:
    options = ("--data", "digits", "--samples", 3, "--json")
    ours, read = (
        cli("estimate", stored / name, *options).json for name in ("net.spg", "model.nir")
    )
    assert ours["totals"] == read["totals"] and ours["totals"]["sop"] > 0


def test_lowering_to_nir_proves_itself(cli, stored: Path, tmp_path: Path) -> None:
    done = cli("lower", stored / "net.spg", "--target", "nir", "--data", "digits",
               "-o", tmp_path / "out", "--set", "dt=0.001")  # fmt: skip
    assert done.code == 0, done.err
    assert "graph -> nir 8,272 0" in " ".join(done.out.split()) and "import_from_nir" in done.out
    nir.read(tmp_path / "out" / "model.nir")
    done = cli("verify", tmp_path / "out", "--backend", "nir,spikingjelly")
    assert done.code == 0, done.out + done.err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--layout", "TBCHW"), "Leave out --layout"),
        (("--input", "2,4,2,16,16"), "the file takes [2, 32, 32]"),
        (("--fires", "sometimes"), "no way to fire has this name"),
        (("--dt", "0"), "a time step of 0.0 s"),
        (("--checkpoint", "x.pt"), "has its weights"),
    ],
)
def test_what_does_not_suit_a_nir_file(cli, stored: Path, options, words: str) -> None:
    done = cli("check", stored / "model.nir", *options)
    assert done.code == 2 and words in " ".join(done.err.split())


def test_a_file_of_others_says_when_it_fires_by_option(cli, tmp_path: Path) -> None:
    node = nir.IF(np.full(3, 1e4), np.ones(3), np.zeros(3))
    network = nir.NIRGraph(
        {"input": nir.Input(np.array([3])), "n": node, "output": nir.Output(np.array([3]))},
        [("input", "n"), ("n", "output")],
    )
    nir.write(tmp_path / "net.nir", network)
    for options, op in (((), "euler_neuron"), (("--fires", "at"), "if")):
        shown = cli("show", tmp_path / "net.nir", "--domain", "spike", *options, "--json").json
        assert [layer["op"] for layer in shown["layers"]] == ["input", op]
        assert shown["layers"][0]["domain"] == "spike"


def test_models_take_no_options_of_nir_files(cli) -> None:
    done = cli("check", "max_former_digits", "--dt", "1e-4")
    assert done.code == 2 and "for *.nir files" in " ".join(done.err.split())


def test_frames_of_the_file_are_what_it_was_given(stored: Path) -> None:
    """Guards the fixture: its neurons fire."""
    frames = torch.poisson(torch.full((4, 2, 2, 32, 32), 0.5))
    runs = nir_graphs.runs_of(Graph.load(stored / "net.spg"), frames)
    assert all(0.01 < float(runs[name].mean()) < 0.99 for name in ("first", "second"))
