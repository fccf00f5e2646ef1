"""`spikeport spectrum` and `spikeport transfer`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from spikeport.convert.domain import Domain
from spikeport.convert.graph import Graph
from spikeport.convert.ops import LIF, Conv, Input, Mean


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    graph = Graph()
    graph.add("input", Input((2, 32, 32), Domain.GRADED, per_step=True))
    graph.add("conv", Conv(torch.ones(2, 2, 3, 3), None, (4, 4), (1, 1), (1, 1)), ("input",))
    graph.add("lif", LIF(2.0, True, 1.0, 0.0), ("conv",))
    graph.add("mean", Mean((1, 2)), ("lif",))
    graph.outputs = ("mean",)
    graph.save(tmp_path / "net.spg")
    return tmp_path / "net.spg"


def test_spectrum_of_a_network_on_data(cli, stored: Path) -> None:
    done = cli("spectrum", stored, "--samples", 3, "-o", "out", "--json")
    assert done.code == 0, done.err
    edges = {row["node"]: row for row in done.json["edges"]}
    assert 0 < edges["input"]["share"] < edges["input"]["share_white"]
    assert edges["lif"]["height"] == 8
    assert edges["mean"]["left_out"] == "it is summed over positions"
    assert "simulated events" in done.json["headline"]
    assert json.loads(Path("out/spectrum.json").read_text()) == done.json
    assert Path("out/layers.svg").read_text().startswith("<?xml")


def test_the_tables_tell_what_they_are(cli, stored: Path) -> None:
    done = cli("spectrum", stored, "--samples", 2)
    assert done.code == 0, done.err
    assert "simulated events" in done.out
    assert "High-frequency share along the network" in done.out
    assert "No share in space: it is summed over positions (mean)" in done.out


def test_transfer_of_a_neuron(cli) -> None:
    done = cli("transfer", "lif", "--tau", 2, "--steps", 32, "-o", "out", "--json")
    assert done.code == 0, done.err
    assert done.json["largest_error_without_threshold"] < 1e-10
    assert len(done.json["frequencies"]) == 16
    assert json.loads(Path("out/transfer.json").read_text()) == done.json
    theory = done.json["signals"][0]
    assert theory["highest"] == pytest.approx(1 / 3)


def test_transfer_prints_a_table(cli) -> None:
    done = cli("transfer", "if", "--steps", 16, "--threshold", 2)
    assert done.code == 0, done.err
    assert "spikes, soft reset" in done.out
    assert "bias 1," in done.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("transfer", "lif", "--tau", 0.5), "a time constant must be above 1"),
        (("transfer", "ant"), "no transfer function"),
        (("transfer", "lif", "--steps", 2), "fewer than 4 steps"),
        (("transfer", "lif", "--bias", 0), "amplitude above 0"),
        (("spectrum", "no_such_model"), "no_such_model"),
    ],
)
def test_refusals(cli, words: tuple[object, ...], told: str) -> None:
    done = cli(*words)
    assert done.code == 2
    assert told in " ".join(done.err.split())
